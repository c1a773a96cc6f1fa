"""Connecting, sending and closing: each call ends, and with the right reason."""

import asyncio

import pytest

import ws
from tests.support.fake_network import (
    URL,
    abort,
    begin,
    connected,
    ended,
    playing,
)
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle
from ws.testing import WebSocketClientFake

pytestmark = pytest.mark.looptime


@pytest.fixture(autouse=True)
async def _quiet():
    """Some of these end a task with an exception; later tests shall not log it."""
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)


class FullError(Exception):
    """What a transport raises that nobody has heard of."""


def refuse(data, *, text: bool) -> None:
    raise FullError(data)


async def test_a_send_that_raises_as_the_connection_opens():
    """connect() returns or raises, and the receipt of that message has failed."""
    connector = FakeConnector()
    async with playing(connector) as client:
        asked = begin(client.connect(URL))
        attempt = await connector.next()
        receipt = client.add_nowait("hello")
        wire = attempt.early()
        wire.send = refuse
        attempt.open()
        assert await ended(asked)
        assert not isinstance(client.state, ws.Connecting)
        assert receipt.status == "failed"
        with pytest.raises(ws.WSError):
            await receipt


async def test_a_send_that_raises_does_not_strand_what_waits_behind():
    """Messages that wait behind it end too, one way or another."""
    connector = FakeConnector()
    async with playing(connector) as client:
        begin(client.connect(URL))
        attempt = await connector.next()
        adding = [begin(client.add(data)) for data in ("a", "b")]
        await until_idle()
        wire = attempt.early()
        wire.send = refuse
        attempt.open()
        for add in adding:
            assert await ended(add)
            assert isinstance(add.exception(), Exception)


async def test_a_fake_whose_answer_raises():
    """The receipt fails, and the test of the application does not hang."""

    def answer(data):
        raise FullError(data)

    fake = WebSocketClientFake(answer=answer)
    client = ws.WebSocketClient.from_client(fake)
    fake.stall()
    asked = begin(client.connect(URL))
    await until_idle()
    receipt = client.add_nowait("hello")
    fake.release()
    try:
        assert await ended(asked)
        assert receipt.status == "failed"
    finally:
        await abort(client)


@pytest.mark.parametrize("how", ["connect", "client"])
async def test_cancelled_context_manager_closes_with_1001(how):
    """Ctrl-C sends a Close with 1001 first, and does not wait for the answer."""
    connector = FakeConnector()
    options = connector.options(heartbeat=None)

    async def program() -> None:
        if how == "connect":
            entered = ws.connect(URL, options)
        else:
            entered = ws.WebSocketClient(options)
        async with entered as client:
            if how == "client":
                await client.connect(URL)
            await asyncio.Event().wait()

    running = begin(program())
    wire = await connector.opened()
    began = asyncio.get_running_loop().time()
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
    assert asyncio.get_running_loop().time() - began < 1
    assert [code for code, _ in wire.closes] == [1001]


async def test_cancelled_twice_frees_the_socket():
    """A second Ctrl-C, while messages are being sent, frees the socket at once."""
    connector = FakeConnector()

    async def program() -> None:
        async with ws.connect(URL, connector.options(heartbeat=None)):
            await asyncio.Event().wait()

    running = begin(program())
    wire = await connector.opened()
    wire.buffered_amount = 1
    running.cancel()
    await until_idle()
    assert not running.done()
    running.cancel()
    await until_idle()
    assert running.cancelled()
    assert wire.is_free


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda client: client.recv(), id="recv"),
        pytest.param(lambda client: client.stream.first(), id="first"),
        pytest.param(lambda client: client.stream.text.first(), id="text"),
    ],
)
async def test_reading_from_a_client_that_was_never_connected(read):
    """It raises, as add() does: no connection is expected."""
    async with playing(FakeConnector()) as client:
        reading = begin(read(client))
        assert await ended(reading)
        assert isinstance(reading.exception(), ws.WSNotConnectedError)


async def test_reconnect_while_the_peer_closes():
    """The metrics show how the peer has ended the connection."""
    connector = FakeConnector()
    async with connected(connector) as (client, wire):
        wire.closing(4001, "move on")
        assert client.state == ws.Disconnecting(4001, "move on")
        again = begin(client.reconnect())
        await connector.opened()
        await again
        metrics = client.metrics
        assert metrics.disconnects == 1
        assert metrics.last_disconnect_code == 4001
        assert metrics.last_disconnect_reason == "move on"


async def test_an_interrupt_out_of_on_event():
    """The commands of a state are carried out, even if its event was interrupted."""
    interrupts = [KeyboardInterrupt()]

    def on_event(event: ws.ClientEvent) -> None:
        if event.name == "state_changed" and interrupts:
            raise interrupts.pop()

    connector = FakeConnector()
    async with playing(connector, on_event=on_event) as client:
        with pytest.raises(KeyboardInterrupt):
            await client.connect(URL)
        await until_idle()
        connecting = isinstance(client.state, ws.Connecting)
        assert connecting == bool(connector.attempts)
