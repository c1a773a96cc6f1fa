"""A paused connection still answers Pings and sees its end. Real sockets.

The test plays the peer itself, on its own loop.
"""

import asyncio
import logging

import pytest
import uvloop
from websockets.frames import Opcode

from tests.support.connecting import Connect
from tests.support.driving import leftovers
from tests.support.inside import max_sipped, max_surplus
from tests.support.played_peer import HEARTBEAT, INTERVAL, received
from tests.support.recording import PATIENCE
from tests.support.server import Server
from ws_common.client import WebSocketClient
from ws_common.heartbeat import Heartbeat
from ws_common.options import WebSocketOptions
from ws_common.states import Closed, Open, Reconnecting

ONE_READ = 256 * 1024
MB = 1_000_000
NUMBERS = [str(number) for number in range(50)]

over = pytest.mark.parametrize("over", ["plain", "deflate", "tls"])


async def paused(dial, *how):
    """A connection that is paused at its first message, of `NUMBERS`."""
    transport, sink, peer = await dial(*how)
    sink.react = lambda _: transport.pause_reading()
    for number in NUMBERS:
        peer.text(number)
    await peer.flush()
    await sink.until_messages(1)
    return transport, sink, peer


async def until(condition) -> None:
    """Wait for what no event tells of."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(INTERVAL / 4)


@over
async def test_ping_is_answered(dial, over):
    """While paused, several times in an interval, and once each; no message comes."""
    transport, sink, peer = await paused(dial, over)
    for payload in (b"one", b"two", b"three"):
        peer.protocol.send_ping(payload)
        await peer.flush()
        assert await received(peer, Opcode.PONG) == payload
    assert sink.messages == NUMBERS[:1]
    sink.react = None
    transport.resume_reading()
    assert sink.messages == NUMBERS
    transport.send("next", text=True)
    async for frame in peer.frames():
        assert frame.opcode is Opcode.TEXT
        break


async def test_ping_behind_messages(dial):
    """A Ping among messages is found, and these stay in order."""
    transport, sink, peer = await paused(dial)
    for payload in (b"one", b"two"):
        peer.text("before")
        peer.protocol.send_ping(payload)
        peer.text("after")
        await peer.flush()
        assert await received(peer, Opcode.PONG) == payload
    sink.react = None
    transport.resume_reading()
    expected = [*NUMBERS, "before", "after", "before", "after"]
    assert await sink.until_messages(len(expected)) == expected


async def test_pong_is_heard(dial):
    """A round trip can be measured while paused."""
    transport, _, peer = await paused(dial)
    answering = asyncio.ensure_future(received(peer, Opcode.PING))
    assert await asyncio.wait_for(transport.ping(), PATIENCE) >= 0
    await answering


async def test_sips_are_signs_of_life(dial):
    """`last_activity` moves though nothing is delivered."""
    transport, sink, peer = await paused(dial)
    before = transport.last_activity
    peer.text("more")
    await peer.flush()
    await until(lambda: transport.last_activity > before)
    assert sink.messages == NUMBERS[:1]


@over
async def test_close_is_noticed(dial, over):
    """What came before it is delivered first, though nobody wants it."""
    _, sink, peer = await paused(dial, over)
    peer.close(4001, "bye")
    await peer.flush()
    assert await received(peer, Opcode.CLOSE) == b"\x0f\xa1bye"
    await peer.flush()
    close = await sink.until_closed()
    assert (close.code, close.reason, close.was_clean) == (4001, "bye", True)
    assert (close.initiator, close.error) == ("peer", None)
    assert sink.messages == NUMBERS
    assert sink.log == ["message"] * len(NUMBERS) + ["closing", "closed"]


@over
async def test_close_that_was_parsed_already(dial, over):
    """In the slice in which the sink paused, the peer's Close waits; TCP stays open."""
    transport, sink, peer = await dial(over)
    sink.react = lambda _: transport.pause_reading()
    for number in NUMBERS:
        peer.text(number)
    peer.close(4001, "")
    await peer.flush()
    await sink.until(lambda: bool(sink.closings))
    assert sink.messages == NUMBERS
    assert sink.closed == []


@over
async def test_end_of_stream_is_noticed(dial, over):
    """A FIN without a Close."""
    _, sink, peer = await paused(dial, over)
    peer.writer.close() if over == "tls" else peer.writer.write_eof()
    close = await sink.until_closed()
    assert (close.code, close.initiator) == (1006, "network")
    assert sink.messages == NUMBERS


@over
async def test_reset_is_noticed(dial, over):
    """A crash of the peer."""
    _, sink, peer = await paused(dial, over)
    peer.drop()
    close = await sink.until_closed()
    assert (close.code, close.initiator) == (1006, "network")
    assert isinstance(close.error, ConnectionResetError)
    assert sink.messages == NUMBERS


async def test_a_close_ends_every_pause(dial):
    """Behind a Close nothing comes that could be held back: the FIN is seen."""
    transport, sink, peer = await dial(heartbeat=None)
    sink.react = lambda _: transport.pause_reading()
    peer.close(1000, "")
    await peer.flush()
    await received(peer, Opcode.CLOSE)
    assert (await sink.until_closed()).code == 1000


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_what_is_too_much_is_reported(dial, caplog, end):
    """Beyond the bound nothing is delivered, and nothing disappears without a word."""
    transport, sink, peer = await dial("deflate")
    sink.react = lambda _: transport.pause_reading()
    for _ in range(20):
        peer.binary(bytes(MB))
    await peer.flush()
    await sink.until_messages(1)
    with caplog.at_level(logging.WARNING, "ws.vm"):
        if end == "close":
            peer.close(1000, "")
            await peer.flush()
            await sink.until(lambda: bool(sink.closings))
        peer.drop()
        close = await sink.until_closed()
    delivered = 1 + max_surplus() // MB
    assert sink.sizes == [MB] * delivered
    assert isinstance(close.error, OverflowError)
    lost = 20 - delivered
    assert f"{lost * MB} bytes in {lost} messages" in str(close.error)
    assert [record.getMessage() for record in caplog.records] == [str(close.error)]
    if end == "close":
        assert sink.closings[0].error is close.error
    else:
        assert isinstance(close.error.__cause__, ConnectionResetError)


@over
async def test_flood(dial, over):
    """However long the pause, memory is bounded; then everything comes, in order."""
    transport, sink, peer = await dial(over)
    sink.react = lambda _: transport.pause_reading()
    count, size = 1000, 10_000

    async def flood():
        for number in range(count):
            peer.protocol.send_binary(b"%03d" % number + noise)
            await peer.flush()

    noise = bytes(number * number % 251 for number in range(size - 3))
    if over == "deflate":  # so that there is a flood at all
        peer.protocol.extensions[0].encode = lambda frame: frame
    flooding = asyncio.ensure_future(flood())
    sips, quiet = set(), 0
    async with asyncio.timeout(PATIENCE):
        while quiet < 10:
            await asyncio.sleep(INTERVAL)
            quiet = 0 if transport.last_activity not in sips else quiet + 1
            sips.add(transport.last_activity)
    sink.react = None
    transport.resume_reading()
    held = sum(sink.sizes)  # it comes before anything more is read
    assert max_sipped() - size <= held < max_sipped() + ONE_READ
    messages = await sink.until_messages(count)
    assert [int(message[:3]) for message in messages] == list(range(count))
    await flooding


def timers() -> int:
    return sum(isinstance(left, asyncio.TimerHandle) for left in leftovers())


@pytest.mark.parametrize("how", ["resume", "abort", "lost", "close"])
async def test_nothing_is_left_behind(dial, lines, how):
    """One timer while paused, and none afterwards, however that ends."""
    transport, sink, peer = await dial()
    assert timers() == 0
    for _ in range(3):
        transport.pause_reading()
        assert timers() == 1
    match how:
        case "resume":
            transport.resume_reading()
        case "abort":
            transport.abort()
            transport.pause_reading()
        case "lost":
            lines[-1].lose()
            await sink.until_closed()
        case "close":
            peer.close(1000, "")
            await peer.flush()
            await sink.until(lambda: bool(sink.closings))
    assert timers() == 0


@pytest.mark.looptime
async def test_when_sips_are_due(dial, lines):
    """After each interval without a break; a sip lasts until something is kept."""
    transport, sink, peer = await dial(heartbeat=Heartbeat(20, 10))
    (line,) = lines
    transport.pause_reading()
    await asyncio.sleep(15)
    assert not line.is_read
    transport.resume_reading()
    assert line.is_read
    await asyncio.sleep(15)
    transport.pause_reading()
    await asyncio.sleep(19)
    assert not line.is_read, "it began anew"
    await asyncio.sleep(2)
    assert line.is_read
    transport.pause_reading()
    assert line.is_read, "one more reason not to read does not end the sip"
    before = transport.last_activity
    peer.text("more")
    await peer.flush()
    await until(lambda: transport.last_activity > before)
    assert not line.is_read
    await asyncio.sleep(18)
    assert not line.is_read
    await asyncio.sleep(2)
    assert line.is_read, "the next one is due as if the first had taken no time"
    transport.abort()
    assert leftovers() == []
    assert sink.messages == []


async def test_a_slow_reader_does_not_put_sips_off(dial):
    """It lets one message in after the other; the socket is unread all the while."""
    transport, sink, peer = await paused(dial)
    peer.protocol.send_ping(b"one")
    await peer.flush()
    pong = asyncio.ensure_future(received(peer, Opcode.PONG))
    while not pong.done():
        transport.resume_reading()
        await asyncio.sleep(INTERVAL / 8)
    assert await pong == b"one"
    assert 1 < len(sink.messages) < len(NUMBERS)


def test_on_uvloop(platform):
    """Paused all the time, a connection delivers what came before the Close."""

    async def main(urls):
        connect = Connect(platform)
        url = urls("/flood", count=50, wait=1, code=4000)
        transport, sink = await connect(url, heartbeat=HEARTBEAT)
        transport.pause_reading()
        transport.send("go", text=True)
        assert (await sink.until_closed()).code == 4000
        assert len(sink.messages) == 50

    with Server() as server, asyncio.Runner(loop_factory=uvloop.new_event_loop) as run:
        run.run(main(server.urls))


@pytest.mark.parametrize(
    ("retry", "state"), [(None, Closed), ((PATIENCE, PATIENCE), Reconnecting)]
)
async def test_client_with_a_stuck_subscriber(listen, retry, state):
    """It learns that the server has closed; what came before can still be read."""
    url, arrival = await listen()
    options = WebSocketOptions.vm(
        heartbeat=HEARTBEAT,
        stream_capacity=1,
        connection_retry_interval=retry,
        proxy=None,
    )
    client = WebSocketClient(options)
    connecting = asyncio.ensure_future(client.connect(url))
    peer = await arrival()
    await connecting
    reader = aiter(client.stream)
    for number in NUMBERS:
        peer.text(number)
    await peer.flush()
    await until(lambda: client.metrics.received_count > 1)
    assert isinstance(client.state, Open)
    peer.close(4001, "")
    await peer.flush()
    await received(peer, Opcode.CLOSE)
    await peer.flush()
    await until(lambda: isinstance(client.state, state))
    assert [await anext(reader) for _ in NUMBERS] == NUMBERS
    await client.disconnect()
