"""Interceptors that are cancelled, late, or call the client affect one message."""

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
from tests.support.interceptors import Keeping
from ws.testing import WebSocketClientFake

pytestmark = pytest.mark.looptime


async def cancelled_inside() -> None:
    """Wait for a future that was cancelled."""
    nothing = asyncio.get_running_loop().create_future()
    nothing.cancel()
    await nothing


class Unlucky(ws.WSInterceptor):
    """For the message "bad" it awaits a cancelled future."""

    async def on_send(self, data, next):
        await asyncio.sleep(0)
        if data == "bad":
            await cancelled_inside()
        await next(data)

    async def on_message(self, data, next):
        await self.on_send(data, next)


async def test_cancelled_on_the_way_in():
    """That message is reported and dropped; all others are delivered in order."""
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
    """add() raises an error and no CancelledError, as nobody has cancelled it."""
    connector = FakeConnector()
    async with connected(connector, interceptors=[Unlucky()]) as (client, wire):
        adding = begin(client.add("bad"))
        assert await ended(adding)
        assert not adding.cancelled()
        assert isinstance(adding.exception(), Exception)
        await client.add("good")
        assert wire.sent == ["good"]


async def test_a_receipt_of_what_was_cancelled_on_the_way_out():
    """The receipt fails, but not with WSClientClosedError: the client is open."""
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
    """The status stays "queued" while an interceptor may still call `next`."""
    keeping, connector = Keeping(), FakeConnector()
    async with connected(connector, interceptors=[keeping]) as (client, wire):
        receipt = client.add_nowait("late")
        assert receipt.status == "queued"
        await until_idle()
        assert receipt.status == "queued"
        keeping.kept.pop()("late")
        await until_idle()
        assert (wire.sent, receipt.status) == (["late"], "sent")
        await receipt


@pytest.mark.parametrize("method", ["add", "send"])
async def test_add_inside_on_send_raises(method):
    """The call would wait for the message that is being handled, so it raises."""
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
    """A message that waits for the opening does not block `after_connect`."""
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
    """reconnect() opens a connection or raises, without a deadlock."""
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
    """recv() would wait for the message that is being handled, so it raises."""
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
