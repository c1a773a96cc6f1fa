"""Overflow: what happens above a subscriber's limit, counted and told.

Runs unchanged inside Pyodide: no plug-ins, no threads, no sockets here.
"""

import pytest

import ws
from tests.support.client_helpers import Told, until

pytestmark = pytest.mark.usefixtures("sockets")


async def fill(client, subscriber, count: int) -> None:
    """Let so many messages arrive; `subscriber` is read, and nobody else."""
    for number in range(count):
        await client.add(str(number))
    for number in range(count):
        assert await anext(subscriber) == str(number)


@pytest.mark.parametrize(
    ("overflow", "left"), [("drop_oldest", "6789"), ("drop_newest", "0123")]
)
async def test_dropping(server, overflow, left):
    """What is dropped is counted at the subscriber and in the metrics, and told."""
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
    """With "error" the subscriber gets what it holds and then the error; alone."""
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
    """`stream_capacity` and `stream_overflow` are every subscriber's, and of `recv`."""
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
    """Nobody there yet is no reason to keep without end."""
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
    """However small the buffer, the ends of connections stay, and do not count."""
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
    """Whoever does not read the states has no effect at all."""
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
