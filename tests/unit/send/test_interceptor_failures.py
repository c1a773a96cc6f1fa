"""Interceptors that are cancelled, late, or call the client: no other message pays."""

import asyncio

import pytest

import ws
from tests.support.client_helpers import Told
from tests.support.fake_network import (
    URL,
    abort,
    begin,
    connected,
    drained,
    ended,
    playing,
)
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle
from ws.testing import WebSocketClientFake

pytestmark = pytest.mark.looptime


async def cancelled_inside() -> None:
    """Wait for something that somebody else has cancelled."""
    nothing = asyncio.get_running_loop().create_future()
    nothing.cancel()
    await nothing


class Unlucky(ws.WSInterceptor):
    """What it waits for with the message "bad" is cancelled."""

    async def on_send(self, data, next):
        await asyncio.sleep(0)
        if data == "bad":
            await cancelled_inside()
        await next(data)

    async def on_message(self, data, next):
        await self.on_send(data, next)


async def test_cancelled_on_the_way_in():
    """That message is reported and not delivered; all others are, in order."""
    connector, told = FakeConnector(), Told()
    options = {"interceptors": [Unlucky()], "on_event": told}
    async with connected(connector, **options) as (client, wire):
        with client.stream.subscribe() as messages:
            for data in ("a", "bad", "b", "c"):
                wire.message(data)
            await until_idle()
            wire.message("d")
            await until_idle()
            arrived = await drained(messages)
        assert arrived == ["a", "b", "c", "d"]
        assert len(told.named("interceptor_raised")) == 1


async def test_cancelled_on_the_way_out():
    """add() raises an error, and not a cancellation that nobody asked for."""
    connector = FakeConnector()
    async with connected(connector, interceptors=[Unlucky()]) as (client, wire):
        adding = begin(client.add("bad"))
        assert await ended(adding)
        assert not adding.cancelled()
        assert isinstance(adding.exception(), Exception)
        await client.add("good")
        assert wire.sent == ["good"]


async def test_a_receipt_of_what_was_cancelled_on_the_way_out():
    """It fails, and says nothing of a client that was closed: it is open."""
    connector = FakeConnector()
    async with connected(connector, interceptors=[Unlucky()]) as (client, _):
        receipt = client.add_nowait("bad")
        await until_idle()
        assert receipt.status in {"failed", "dropped"}
        with pytest.raises(ws.WSError) as caught:
            await receipt
        assert client.state.is_open
        assert not isinstance(caught.value, ws.WSClientClosedError)


async def test_the_receipt_of_a_message_that_goes_later():
    """While an interceptor may still call `next`, nothing is said to be dropped."""
    later = []

    class Keeping(ws.WSInterceptor):
        def on_send(self, data, next):
            later.append(next)

    connector = FakeConnector()
    async with connected(connector, interceptors=[Keeping()]) as (client, wire):
        receipt = client.add_nowait("late")
        assert receipt.status == "queued"
        await until_idle()
        assert receipt.status == "queued"
        later.pop()("late")
        await until_idle()
        assert (wire.sent, receipt.status) == (["late"], "sent")
        await receipt


@pytest.mark.parametrize("method", ["add", "send"])
async def test_add_inside_on_send_raises(method):
    """It would wait for the message that it is handling, so it raises at once."""
    errors = []

    class Calling(ws.WSInterceptor):
        async def on_send(self, data, next):
            if data == "outer":
                try:
                    await getattr(client, method)("inner")
                except Exception as error:  # noqa: BLE001 - any that explains it
                    errors.append(error)
            await next(data)

    connector = FakeConnector()
    async with connected(connector, interceptors=[Calling()]) as (client, wire):
        adding = begin(client.add("outer"))
        assert await ended(adding)
        assert len(errors) == 1
        again = begin(client.add("again"))
        assert await ended(again)
        assert wire.sent == ["outer", "again"]


async def test_a_message_that_waits_does_not_hold_up_after_connect():
    """What an interceptor holds until the connection is open cannot keep it shut."""
    opened = asyncio.Event()

    class Patient(ws.WSInterceptor):
        async def on_send(self, data, next):
            if data == "user":
                await opened.wait()
            await next(data)

    async def log_in(session: ws.Session) -> None:
        await session.add("login")

    connector = FakeConnector()
    options = {"interceptors": [Patient()], "after_connect": log_in}
    async with playing(connector, **options) as client:
        client.state_changes.open.listen(lambda _: opened.set())
        connecting = begin(client.connect(URL))
        attempt = await connector.next()
        adding = begin(client.add("user"))
        await until_idle()
        wire = attempt.open()
        assert await ended(connecting)
        assert await ended(adding)
        assert wire.sent == ["login", "user"]


async def test_reconnect_inside_on_message():
    """It opens a connection or raises; it does not wait for what waits for it."""
    outcomes = []

    class Renewing(ws.WSInterceptor):
        async def on_message(self, data, next):
            if data == "renew":
                try:
                    outcomes.append(await client.reconnect())
                except Exception as error:  # noqa: BLE001 - any that explains it
                    outcomes.append(error)
            await next(data)

    async def greet(session: ws.Session) -> None:
        await session.recv()

    fake = WebSocketClientFake()
    options = ws.WebSocketOptions(interceptors=[Renewing()], after_connect=greet)
    client = ws.WebSocketClient.from_client(fake, options)
    try:
        connecting = begin(client.connect(URL))
        await until_idle()
        fake.loop_back("hello")
        await connecting
        fake.loop_back("renew")
        await until_idle()
        fake.loop_back("hello again")
        await until_idle()
        assert len(outcomes) == 1
        assert client.state.is_open
    finally:
        await abort(client)


async def test_receiving_inside_on_message_raises():
    """The next message would wait for the one that is being handled."""
    errors = []

    class Impatient(ws.WSInterceptor):
        async def on_message(self, data, next):
            try:
                await client.recv()
            except ws.WSError as error:
                errors.append(str(error))
            await next(data)

    fake = WebSocketClientFake()
    options = ws.WebSocketOptions(interceptors=[Impatient()])
    async with ws.WebSocketClient.from_client(fake, options) as client:
        await client.connect(URL)
        receiving = begin(client.recv())
        fake.loop_back("hello")
        assert await receiving == "hello"
    assert len(errors) == 1
    assert "inside on_message" in errors[0]
