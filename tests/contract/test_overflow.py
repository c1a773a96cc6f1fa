"""Overflow: what happens above a subscriber's limit, and how it is reported.

Runs unchanged inside Pyodide: no plug-ins, no threads, no sockets here.
"""

import pytest

import ws
from tests.support.client_helpers import Told, until

pytestmark = pytest.mark.usefixtures("sockets")


async def fill(client, subscriber, count: int) -> None:
    """Let this many messages arrive; only `subscriber` is read."""
    for number in range(count):
        await client.add(str(number))
    for number in range(count):
        assert await anext(subscriber) == str(number)


@pytest.mark.parametrize(
    ("overflow", "left"), [("drop_oldest", "6789"), ("drop_newest", "0123")]
)
async def test_dropping(server, overflow, left):
    """Dropped messages are counted by the subscriber and the metrics, and reported."""
    told = Told()
    options = ws.WebSocketOptions.common(on_event=told)
    async with ws.connect(server("/echo"), options) as client:
        reader = client.stream.subscribe()
        small = client.stream.subscribe(4, overflow)
        await fill(client, reader, 10)
        assert (small.dropped, reader.dropped) == (6, 0)
        assert client.metrics.dropped_count == 6
        events = told.named("message_dropped")
        assert sum(event["count"] for event in events) == 6
        assert {"in"} == {event["direction"] for event in events}
        assert [await anext(small) for _ in left] == list(left)
        await client.add("next")
        assert await anext(small) == "next"


async def test_an_error(server):
    """With "error" only this subscriber gets its messages and then the error."""
    told = Told()
    options = ws.WebSocketOptions.common(on_event=told)
    async with ws.connect(server("/echo"), options) as client:
        reader = client.stream.subscribe()
        small = client.stream.subscribe(4, "error")
        await fill(client, reader, 10)
        assert [await anext(small) for _ in range(4)] == list("0123")
        for _ in range(2):
            with pytest.raises(ws.WSStreamOverflowError):
                await anext(small)
        # The one that was too much, and what came in the same batch behind it.
        assert 1 <= small.dropped <= 6
        assert told.named("message_dropped") == [
            {"direction": "in", "count": small.dropped}
        ]
        await fill(client, reader, 2)
        assert client.state.is_open


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest", "error"])
async def test_as_the_options_say(server, overflow):
    """`stream_capacity` and `stream_overflow` apply to all subscribers and `recv`."""
    options = ws.WebSocketOptions.common(stream_capacity=2, stream_overflow=overflow)
    async with ws.connect(server("/echo"), options) as client:
        witness = client.stream.subscribe(100)
        client.__aiter__()
        await fill(client, witness, 5)
        expected = {"drop_oldest": "34"}.get(overflow, "01")
        assert [await client.recv() for _ in range(2)] == list(expected)
        if overflow == "error":
            with pytest.raises(ws.WSStreamOverflowError):
                await client.recv()


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
async def test_what_is_kept_before_the_first_subscriber_is_bounded(server, overflow):
    """Messages before the first subscriber are limited too."""
    options = ws.WebSocketOptions.common(stream_capacity=3, stream_overflow=overflow)
    client = ws.WebSocketClient(options)
    async with client:
        await client.connect(server("/greeting"))
        for number in range(3):
            await client.add(str(number))
        await until(lambda: client.metrics.received_count == 5)
        expected = {
            "drop_oldest": ["0", "1", "2"],
            "drop_newest": ["hello", b"\x00\x01\xfe\xff", "0"],
        }
        assert [await client.recv() for _ in range(3)] == expected[overflow]
        assert client.metrics.dropped_count == 2


async def test_ends_are_not_dropped(server):
    """Ends of connections are kept and do not count, however small the buffer is."""
    client = ws.WebSocketClient()
    small = client.stream.subscribe(1, "drop_oldest")
    strict = client.stream.subscribe(1, "error")
    async with client:
        for _ in range(3):
            await client.connect(server("/echo"))
            await client.disconnect()
        await client.connect(server("/echo"))
        reader = client.stream.subscribe()
        await fill(client, reader, 1)
        for subscriber in (small, strict):
            for _ in range(3):
                assert await anext(subscriber, "end") == "end"
            assert await anext(subscriber) == "0"


async def test_states_drop_the_oldest_and_hold_nobody_up(server):
    """A subscriber of states that does not read has no effect."""
    options = ws.WebSocketOptions.common(stream_capacity=1)
    client = ws.WebSocketClient(options)
    async with client:
        everything = client.state_changes.subscribe()
        latest = client.state_changes.subscribe(2)
        for _ in range(3):
            await client.connect(server("/echo"))
            await client.disconnect()
        assert latest.dropped > 0
        states = [type(await anext(latest)) for _ in range(2)]
        assert states == [ws.Disconnecting, ws.Closed]
        assert isinstance(await anext(everything), ws.Connecting)
