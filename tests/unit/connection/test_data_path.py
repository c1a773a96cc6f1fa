"""The data path in states between two turns of the loop, which no server causes."""

import asyncio

import pytest

import ws
from tests.support.client_driver import abort, begin, opened
from tests.support.client_helpers import LATER, Told
from tests.support.fake_transport import FakeConnector
from tests.support.idle import turns, until_idle
from ws.testing import WebSocketClientFake

pytestmark = pytest.mark.looptime


class Slow(WebSocketClientFake):
    """A client that takes each message only after some turns of the loop."""

    add_nowait = None  # type: ignore[assignment]

    async def add(self, data: ws.Data) -> None:
        await turns(5)
        WebSocketClientFake.add_nowait(self, data)


async def test_room_that_was_not_told_of_yet():
    """While a message waits, none overtakes it, although there is room."""
    connector = FakeConnector()
    async with opened(connector, write_limit=10) as (client, transport):
        transport.buffered_amount = 11
        first = client.add_nowait("a")
        adding = begin(client.add("b"))
        await until_idle()
        transport.buffered_amount = 0
        second = client.add_nowait("c")
        assert [first.status, second.status] == ["queued", "queued"]
        transport.drain()
        await adding
        assert transport.sent == ["a", "b", "c"]


async def test_the_buffer_is_asked_for_where_it_may_be_full(monkeypatch):
    """It is not read for each message: in a browser that costs as much as sending."""
    connector = FakeConnector()
    async with opened(connector, write_limit=1000) as (client, transport):
        asked = []

        def amount(_):
            asked.append(len(transport.sent))
            return 900 if len(transport.sent) > 4 else 0

        kind = type(transport)
        monkeypatch.setattr(kind, "buffered_amount", property(amount), raising=False)
        await client.add("x")  # nobody has asked yet
        assert asked == [0]
        for _ in range(3):
            await client.add("x" * 200)
        assert asked == [0]
        await client.add("x" * 200)
        assert asked == [0, 5]
        await client.add("x" * 20)
        await client.add("x" * 20)
        assert asked == [0, 5, 7]


async def test_a_new_connection_that_is_paused_from_the_start():
    """It sends no pings: no answer could be read."""
    connector = FakeConnector()
    options = {
        "stream_capacity": 1,
        "heartbeat": ws.Heartbeat(2, 1),
        "connection_retry_interval": LATER,
    }
    async with opened(connector, **options) as (client, transport):
        reader = client.stream.subscribe()
        for number in range(3):
            transport.message(str(number))
        transport.closed(1006)
        again = begin(client.reconnect())
        second = await connector.opened()
        await again
        assert second.paused
        await asyncio.sleep(100)
        assert client.state.is_open
        assert second.pings == []
        assert [await anext(reader) for _ in range(3)] == ["0", "1", "2"]
        assert not second.paused
        await asyncio.sleep(2.5)
        assert len(second.pings) == 1


async def test_early_messages_and_a_full_subscriber():
    """Messages from before the opening pause reading, and are delivered first."""
    connector = FakeConnector()
    opening = asyncio.Event()

    async def linger(_session: ws.Session) -> None:
        await opening.wait()

    options = {"stream_capacity": 2, "after_connect": linger}
    client = ws.WebSocketClient(connector.options(**options))
    async with client:
        asked = begin(client.connect("ws://host/"))
        transport = await connector.opened()
        for number in range(3):
            transport.message(str(number))
        assert transport.paused
        opening.set()
        await asked
        assert transport.paused
        reader = client.stream.subscribe()
        assert [await anext(reader) for _ in range(3)] == ["0", "1", "2"]
        assert not transport.paused
        begin(client.close())
        await until_idle()
        transport.closed(1000, initiator="local", clean=True)


@pytest.mark.parametrize("how", ["disconnect cancelled", "client aborted"])
async def test_what_an_abort_may_have_cost(how):
    """Unconfirmed messages are reported, whoever has ended the connection."""
    told = Told()
    connector = FakeConnector()
    async with opened(connector, on_event=told) as (client, transport):
        await client.add("a")
        await client.add("b")
        transport.pong()
        if how == "client aborted":
            await abort(client)
        else:
            disconnecting = begin(client.disconnect())
            await until_idle()
            disconnecting.cancel()
        await until_idle()
        assert transport.aborted
    assert told.named("messages_unconfirmed") == [{"count": 2}]


@pytest.mark.parametrize(
    ("initiator", "count"), [("local", 0), ("peer", 1)], ids=["we first", "peer first"]
)
async def test_what_a_proper_close_may_have_cost(initiator, count):
    """Nothing if the peer answered our Close; what it did not read if it closed."""
    told = Told()
    connector = FakeConnector()
    async with opened(connector, on_event=told) as (client, transport):
        await client.add("a")
        disconnecting = begin(client.disconnect())
        await until_idle()
        transport.closed(1000, initiator=initiator)
        await disconnecting
    events = told.named("messages_unconfirmed")
    assert [event["count"] for event in events] == [1] * count


async def test_a_wrapped_client_has_one_connection_at_a_time():
    """`reconnect()` waits until earlier messages are sent and the client has closed."""
    fake = Slow()
    client = ws.WebSocketClient.from_client(fake)
    async with client:
        await client.connect("ws://host/")
        for text in "abc":
            await client.add(text)
        await client.reconnect()
        assert fake.sent == ["a", "b", "c"]
        await client.add("d")
        await until_idle()
        assert client.state.is_open
        assert fake.sent == ["a", "b", "c", "d"]
        assert fake.state.connection == 2


async def test_a_wrapped_client_that_takes_nothing():
    """An error of its `add()` ends the connection, and is the cause."""

    class Broken(WebSocketClientFake):
        add_nowait = None  # type: ignore[assignment]

        async def add(self, data: ws.Data) -> None:
            raise KeyError(data)

    told = Told()
    options = ws.WebSocketOptions.common(on_event=told)
    client = ws.WebSocketClient.from_client(Broken(), options)
    async with client:
        await client.connect("ws://host/")
        await client.add("a")
        with pytest.raises(ws.WSConnectionClosedError) as caught:
            await client.recv()
        assert isinstance(caught.value.__cause__, KeyError)
        assert caught.value.unconfirmed == 1
