"""A paused connection still answers Pings and sees its end. Real sockets.

The test plays the peer itself, on its own loop.
"""

import asyncio
import logging

import pytest
import uvloop
from websockets.frames import Opcode

from tests.support.client_driver import leftovers
from tests.support.fake_tcp import opened, receive
from tests.support.raw_peer_fixtures import HEARTBEAT, INTERVAL, received
from tests.support.recording_sink import PATIENCE, Recording
from tests.support.server import Server
from tests.support.transport_opener import Connect
from ws_common.client import WebSocketClient
from ws_common.lifecycle.states import Closed, Open, Reconnecting
from ws_common.options.options import WebSocketOptions
from ws_vm.delivery import MAX_HELD
from ws_vm.late_delivery import MAX_LATE

ONE_READ = 64 * 1024
MB = 1_000_000
NUMBERS = [str(number) for number in range(50)]

over = pytest.mark.parametrize("over", ["plain", "deflate", "tls"])


async def paused(dial, *how):
    """Open a connection that is paused after its first message."""
    transport, sink, peer = await dial(*how)
    sink.react = lambda _: transport.pause_reading()
    peer.text(NUMBERS[0])
    await peer.flush()
    await sink.until_messages(1)
    for number in NUMBERS[1:]:
        peer.text(number)
    await peer.flush()
    await until(lambda: transport._held)
    return transport, sink, peer


async def until(condition) -> None:
    """Wait for a condition of which no event informs."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(INTERVAL / 4)


@over
async def test_ping_is_answered(dial, over):
    """Each Ping is answered once during a pause, and no message is delivered."""
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
    """A Ping between messages is answered, and the messages stay in order."""
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


async def test_reads_are_signs_of_life(dial):
    """`last_activity` is updated although nothing is delivered."""
    transport, sink, peer = await paused(dial)
    before = transport.last_activity
    peer.text("more")
    await peer.flush()
    await until(lambda: transport.last_activity > before)
    assert sink.messages == NUMBERS[:1]


@over
async def test_close_is_noticed(dial, over):
    """Messages before the Close are delivered first, despite the pause."""
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
async def test_close_in_the_read_in_which_the_sink_pauses(dial, over):
    """The Close is noticed although the messages make several batches."""
    transport, sink, peer = await dial(over)
    sink.react = lambda _: transport.pause_reading()
    for number in range(3000):
        peer.text(f"{number}")
    peer.close(4001, "")
    await peer.flush()
    await sink.until(lambda: bool(sink.closings))
    assert sink.messages == [f"{number}" for number in range(3000)]
    assert sink.closed == []


@over
async def test_end_of_stream_is_noticed(dial, over):
    """A FIN without a Close is noticed."""
    _, sink, peer = await paused(dial, over)
    peer.writer.close() if over == "tls" else peer.writer.write_eof()
    close = await sink.until_closed()
    assert (close.code, close.initiator) == (1006, "network")
    assert sink.messages == NUMBERS


@over
async def test_reset_is_noticed(dial, over):
    """A reset, as after a crash of the peer, is noticed."""
    _, sink, peer = await paused(dial, over)
    peer.drop()
    close = await sink.until_closed()
    assert (close.code, close.initiator) == (1006, "network")
    assert isinstance(close.error, ConnectionResetError)
    assert sink.messages == NUMBERS


async def test_a_close_ends_every_pause(dial):
    """No data follows a Close, so the pause ends and the FIN is seen."""
    transport, sink, peer = await dial(heartbeat=None)
    sink.react = lambda _: transport.pause_reading()
    peer.close(1000, "")
    await peer.flush()
    await received(peer, Opcode.CLOSE)
    assert (await sink.until_closed()).code == 1000


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_what_is_too_much_is_reported(dial, caplog, end):
    """Beyond the limit messages are dropped, and reported."""
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
    delivered = len(sink.messages)
    assert sink.sizes == [MB] * delivered
    late = delivered - sink.end_of_batch(1)
    assert MAX_LATE - 5 * MB < late * MB <= MAX_LATE  # a batch is up to 4 MB
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
    """Memory is bounded during a pause; then all messages arrive in order."""
    transport, sink, peer = await dial(over)
    sink.react = lambda _: transport.pause_reading()
    count = 100

    async def flood():
        for number in range(count):
            peer.protocol.send_binary(b"%03d" % number + noise)
            await peer.flush()

    noise = bytes(number * number % 251 for number in range(100_000))
    if over == "deflate":  # so that there is a flood at all
        peer.protocol.extensions[0].encode = lambda frame: frame
    flooding = asyncio.ensure_future(flood())
    await until(lambda: len(transport._held) >= MAX_HELD)
    for _ in range(5):
        await asyncio.sleep(INTERVAL)
        assert MAX_HELD <= len(transport._held) < MAX_HELD + ONE_READ
    sink.react = None
    transport.resume_reading()
    messages = await sink.until_messages(count)
    assert [int(message[:3]) for message in messages] == list(range(count))
    await flooding


def timers() -> int:
    return sum(isinstance(left, asyncio.TimerHandle) for left in leftovers())


@pytest.mark.parametrize("how", ["resume", "abort", "lost", "close"])
async def test_nothing_is_left_behind(dial, how):
    """There is one timer while data is held back, and none afterwards."""
    transport, sink, peer = await dial(heartbeat=None)
    assert timers() == 0
    transport.pause_reading()
    assert timers() == 0
    for number in NUMBERS[:3]:
        peer.text(number)
    await peer.flush()
    await until(lambda: transport._held)
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
            transport._tcp.abort()
            await sink.until_closed()
        case "close":
            transport._timer.cancel()  # as if it had come
            transport._poll_socket()
            peer.close(1000, "")
            await peer.flush()
            await sink.until(lambda: bool(sink.closings))
    assert timers() == 0


def text(number: int) -> bytes:
    return b"\x81\x02%02d" % number


@pytest.mark.looptime
async def test_when_the_socket_is_read():
    """The socket is read until data is held back, and again after each interval."""
    loop, sink = asyncio.get_running_loop(), Recording()
    transport, tcp = opened(sink)
    transport.pause_reading()
    await asyncio.sleep(100)
    assert tcp.reading
    receive(transport, b"\x89\x00")  # a Ping is answered, and keeps nothing
    assert tcp.reading
    assert tcp.written[:1] == b"\x8a"
    receive(transport, text(0))
    assert not tcp.reading
    began = loop.time()
    for number in range(1, 4):
        await asyncio.sleep(19.9)
        assert not tcp.reading
        transport.pause_reading()  # one more reason not to read changes nothing
        await asyncio.sleep(0.2)
        assert tcp.reading
        receive(transport, text(number))
        assert not tcp.reading
    assert loop.time() - began == pytest.approx(60.3)
    transport.resume_reading()
    assert tcp.reading
    await asyncio.sleep(100)
    assert sink.messages == ["00", "01", "02", "03"]
    transport.abort()


async def test_a_slow_reader_does_not_put_reads_off(dial):
    """A sink that takes one batch after the other does not delay the next read."""
    transport, sink, peer = await paused(dial)
    for number in range(50_000):
        peer.text(f"{number}")
    await peer.flush()
    peer.protocol.send_ping(b"one")
    await peer.flush()
    pong = asyncio.ensure_future(received(peer, Opcode.PONG))
    while not pong.done():
        transport.resume_reading()
        await asyncio.sleep(INTERVAL / 8)
    assert await pong == b"one"
    assert 1 < len(sink.batches)
    assert len(sink.messages) < 50_000


def test_on_uvloop(platform):
    """A paused connection delivers the messages before the Close."""

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


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize("pauses", [True, False])
async def test_a_peer_that_pings_and_does_not_read(monkeypatch, pauses):
    """Its Pings cost no memory. Once it reads, they are answered again."""
    transport, tcp = opened(Recording())
    monkeypatch.setattr(tcp, "get_write_buffer_size", lambda: len(tcp.written))
    if pauses:
        transport.pause_reading()
    for _ in range(100):
        receive(transport, (b"\x89\x7d" + b"p" * 125) * 100)
    assert len(tcp.written) < 2**17
    tcp.written = b""
    receive(transport, b"\x89\x00")
    assert tcp.written[:1] == b"\x8a"
    transport.abort()


@pytest.mark.parametrize(
    ("retry", "state"), [(None, Closed), ((PATIENCE, PATIENCE), Reconnecting)]
)
async def test_client_with_a_stuck_subscriber(listen, retry, state):
    """The client sees the Close, and the messages before it can still be read."""
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
