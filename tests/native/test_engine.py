"""How the engine delivers, holds back and ends."""

import asyncio
import json
import tracemalloc

import pytest
from websockets.frames import Opcode

from tests.support.conversing import until
from tests.support.recording import Recording
from ws_common.errors import WSHandshakeError
from ws_common.options import CompressionOptions, WebSocketOptions

MB = 1_000_000
ONE_READ = 256 * 1024


class Growth:
    """How much more memory Python has in use."""

    def __init__(self) -> None:
        self._before = 0

    def begin(self) -> None:
        tracemalloc.start()
        self._before, _ = tracemalloc.get_traced_memory()

    def size(self) -> int:
        return tracemalloc.get_traced_memory()[0] - self._before


@pytest.fixture
def growth():
    """Measured from `growth.begin()` on."""
    yield Growth()
    tracemalloc.stop()


async def turns(count: int = 20) -> None:
    """Let the loop do what is ready."""
    for _ in range(count):
        await asyncio.sleep(0)


def numbers(sink: Recording) -> list[int]:
    return [int(str(message).partition(":")[0]) for message in sink.messages]


async def held(connect, server, at, **flood):
    """A flooded connection whose sink has paused it after so many messages."""
    transport, sink = await connect(server("/flood", wait=1, **flood))
    sink.react = lambda _: transport.pause_reading() if len(sink.log) == at else None
    transport.send("go", text=True)
    await sink.until_messages(at)
    await turns()
    return transport, sink


async def test_deflated_backlog_stays_deflated(dial, growth):
    """Paused, what a read has brought is not inflated, slices of 4 KiB apart."""
    transport, sink, peer = await dial("deflate", heartbeat=None)
    sink.react = lambda _: transport.pause_reading() if len(sink.log) == 5 else None
    assert "permessage-deflate" in transport.handshake.extensions
    for number in range(300):  # all in one segment
        peer.text(f"{number}:".ljust(60_000, "x"))
    growth.begin()
    await peer.flush()
    await sink.until_messages(5)
    await turns()
    assert len(sink.messages) == 5
    assert growth.size() < 6 * MB
    sink.react = None
    transport.resume_reading()
    assert sum(sink.sizes) > 12 * MB, "the read was to bring much more than a slice"
    await sink.until_messages(300)
    assert numbers(sink) == list(range(300))


async def test_one_at_a_time(connect, server):
    """A sink that pauses at every message gets them one by one, the Close too."""
    transport, sink = await held(connect, server, 1, count=50, size=100, code=4000)
    sink.react = lambda _: transport.pause_reading()
    for count in range(2, 51):
        assert len(sink.messages) == count - 1
        transport.resume_reading()
        await sink.until_messages(count)
    assert sink.closings == []
    transport.resume_reading()
    await sink.until(lambda: bool(sink.closings))
    transport.resume_reading()
    close = await sink.until_closed()
    assert close.code == 4000
    assert numbers(sink) == list(range(50))
    assert sink.log == ["message"] * 50 + ["closing", "closed"]


async def test_sink_resumes_from_inside(connect, server):
    """The sink may pause and resume while it is being called."""
    sink = Recording()
    transport, _ = await connect(server("/echo"), sink=sink)

    def react(_event):
        transport.pause_reading()
        transport.resume_reading()

    sink.react = react
    sent = [str(index) for index in range(500)]
    for data in sent:
        transport.send(data, text=True)
    assert await sink.until_messages(500) == sent


async def test_lost_with_a_backlog(connect, server, lines):
    """What was read before the loss is delivered before the end, though paused."""
    _, sink = await held(connect, server, 3, count=60, size=64)
    assert sink.log == ["message"] * 3
    lines[-1].lose()
    await sink.until_closed()
    assert numbers(sink) == list(range(60))
    assert sink.log == ["message"] * 60 + ["closed"]
    assert sink.closed[0].code == 1006
    assert sink.closed[0].initiator == "network"


async def test_end_of_stream_with_a_backlog(connect, server, lines):
    """A FIN does not overtake what came before it."""
    transport, sink = await connect(server("/echo"))
    sink.react = lambda _: transport.pause_reading() if len(sink.log) == 3 else None
    frames = [b"\x82\x7e\x03\xe8" + b"%04d:" % i + bytes(995) for i in range(60)]
    lines[-1].receive(b"".join(frames))
    assert len(sink.messages) == 3
    lines[-1].end()
    await turns()
    assert [int(message[:4]) for message in sink.messages] == list(range(60))
    assert sink.log == ["message"] * 60 + ["closed"]


async def test_two_faults_in_one_read(connect, server, lines):
    """Text that is not UTF-8 does not hide the bad frame that came behind it."""
    _, sink = await connect(server("/silent-close"))
    lines[-1].receive(b"\x81\x01\xff" + b"\x83\x00")
    (closing,) = sink.closings
    assert (closing.code, closing.initiator) == (1002, "local")


async def test_refused_and_lost_at_once(connect, server, lines):
    """A refusal is no connection, even if it is gone before anybody looked."""
    sink = Recording()
    task = asyncio.ensure_future(connect(server("/hang"), sink=sink))
    await until(lambda: lines)
    await turns()
    lines[-1].receive(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    lines[-1].lose()
    with pytest.raises(WSHandshakeError) as caught:
        await task
    assert caught.value.status == 403
    assert sink.log == []


async def test_lost_while_paused_without_a_backlog(connect, server, lines):
    """With nothing to deliver, a loss is told even while paused."""
    transport, sink = await connect(server("/echo"))
    transport.pause_reading()
    lines[-1].lose()
    assert (await sink.until_closed()).code == 1006


async def test_abort_drops_the_backlog(connect, server):
    """After abort() nothing of it is delivered, whatever is called."""
    transport, sink = await held(connect, server, 3, count=60, size=64)
    transport.abort()
    transport.resume_reading()
    await turns()
    assert sink.log == ["message"] * 3


async def test_a_socket_that_reads_on(connect, server, lines):
    """Data that comes although paused waits in its place."""
    transport, sink = await held(connect, server, 3, count=10, size=20)
    lines[-1].receive(b"\x81\x02" + b"10")
    lines[-1].receive(b"\x81\x02" + b"11")
    assert len(sink.messages) == 3
    transport.resume_reading()
    assert numbers(sink) == list(range(12))


async def test_paused_socket_is_not_read(connect, server, lines):
    """TCP pushes back: the server's flood stops."""
    transport, sink = await held(connect, server, 2, count=20_000, size=1000)
    await asyncio.sleep(0.05)
    assert not lines[-1].is_read
    assert len(sink.messages) == 2
    sink.react = None
    transport.resume_reading()
    assert sum(sink.sizes) <= ONE_READ, "it comes before anything more is read"


async def test_greeting_before_the_connector_returns(connect, server):
    """Frames in the segment of the 101 are pushed right away."""
    sink = Recording()
    await connect(server("/greeting"), sink=sink)
    assert sink.messages == ["hello", b"\x00\x01\xfe\xff"]


async def test_cancelled_after_the_handshake(connect, server):
    """Cancelled when the server has answered already, the connector is silent."""
    sink = Recording()
    task = asyncio.ensure_future(connect(server("/greeting"), sink=sink))
    sink.react = lambda _: task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await turns()
    assert set(sink.log) == {"message"}


@pytest.mark.parametrize(
    ("path", "code"), [("/bad-utf8", 1007), ("/bad-frame", 1002), ("/big", 1009)]
)
async def test_local_cause(connect, server, path, code):
    """Where we fail the connection, our code stays, though the wire may say 1006."""
    _, sink = await connect(server(path), max_size=1000)
    close = await sink.until_closed()
    assert (close.code, close.initiator, close.was_clean) == (code, "local", False)
    assert close.error is not None
    assert sink.closings == [close]


async def test_bomb(connect, server):
    """`max_size` holds for what comes out of the compression."""
    url = server("/flood", count=1, size=50 * MB, compress=1)
    _, sink = await connect(url, max_size=MB)
    assert (await sink.until_closed()).code == 1009
    assert sink.messages == []


async def test_many_fragments(connect, server, lines):
    """A message may come in very many fragments; memory is bounded by its size."""
    _, sink = await connect(server("/echo"))
    lines[-1].receive(b"\x01\x01a" + b"\x00\x01b" * 50_000 + b"\x80\x00")
    assert sink.messages == ["a" + "b" * 50_000]


async def test_fragments_over_max_size(connect, server, lines):
    """Fragments count together."""
    _, sink = await connect(server("/echo"), max_size=10)
    lines[-1].receive(b"\x01\x06abcdef" + b"\x80\x06ghijkl")
    assert sink.messages == []
    assert sink.closings[0].code == 1009


async def test_bad_text_in_front_of_a_close(connect, server, lines):
    """A Close behind the broken message does not hide who ended it and why."""
    _, sink = await connect(server("/echo"))
    lines[-1].receive(b"\x81\x01\xff" + b"\x88\x02\x03\xe8")
    close = await sink.until_closed()
    assert (close.code, close.initiator) == (1007, "local")
    assert sink.log == ["closing", "closed"]


async def test_bad_data_after_our_close(connect, server, lines):
    """Once we have asked for the end, a failure does not change its cause."""
    transport, sink = await connect(server("/silent-close"))
    transport.close(1000, None)
    lines[-1].receive(b"\x83\x00")
    lines[-1].lose()
    close = await sink.until_closed()
    assert (close.code, close.initiator, close.was_clean) == (1006, "local", False)
    assert sink.log == ["closed"]


async def pinged(dial):
    """Two Pings of the client, their payloads, and a peer that has not answered."""
    transport, sink, peer = await dial(heartbeat=None)
    peer.protocol.unsent.add(Opcode.PONG)
    pongs = transport.ping(), transport.ping()
    payloads = []
    async for frame in peer.frames():
        assert frame.opcode is Opcode.PING
        payloads.append(bytes(frame.data))
        if len(payloads) == len(pongs):
            break
    peer.protocol.unsent.clear()
    return pongs, payloads, transport, sink, peer


async def test_pong_of_the_last_ping_alone(dial):
    """One Pong settles all Pings before it."""
    (first, second), payloads, _, _, peer = await pinged(dial)
    peer.protocol.send_pong(payloads[1])
    await peer.flush()
    assert await first >= await second >= 0


async def test_pong_of_the_first_ping_alone(dial):
    """A Pong says nothing about later Pings."""
    (first, second), payloads, _, _, peer = await pinged(dial)
    peer.protocol.send_pong(payloads[0])
    await peer.flush()
    assert await first >= 0
    await turns()
    assert not second.done()


async def test_unsolicited_pong(dial):
    """A Pong that nobody asked for is nothing, and answers nothing."""
    pongs, _, transport, sink, peer = await pinged(dial)
    peer.protocol.send_pong(b"other")
    peer.text("behind it")
    await peer.flush()
    assert await sink.until_messages(1) == ["behind it"]
    assert not any(pong.done() for pong in pongs)
    transport.send("on", text=True)
    async for frame in peer.frames():
        assert frame.opcode is Opcode.TEXT
        break


@pytest.mark.parametrize(
    ("compression", "offer"),
    [
        (True, "permessage-deflate; client_max_window_bits"),
        (False, None),
        (
            CompressionOptions(
                client_max_window_bits=10,
                server_max_window_bits=11,
                client_no_context_takeover=True,
                server_no_context_takeover=True,
            ),
            (
                "permessage-deflate; server_no_context_takeover; "
                "client_no_context_takeover; server_max_window_bits=11; "
                "client_max_window_bits=10"
            ),
        ),
    ],
)
async def test_compression_offer(connect, server, compression, offer):
    """What the options say is what is offered; what is agreed on works."""
    options = WebSocketOptions.vm(compression=compression)
    transport, sink = await connect(server("/headers", compress=1), options=options)
    (headers,) = await sink.until_messages(1)
    assert dict(json.loads(headers)).get("Sec-WebSocket-Extensions") == offer
    sink.messages.clear()
    assert bool(transport.handshake.extensions) == (offer is not None)
    for data in ("x" * 10_000, "y" * 10_000, "é" * 100_000):
        transport.send(data, text=True)
    assert len(await sink.until_messages(3)) == 3
    assert sink.messages[2] == "é" * 100_000


async def test_cancelled_ping_is_forgotten(connect, server):
    """A caller that gave up on a ping does no harm when the Pong comes."""
    transport, _ = await connect(server("/echo"))
    transport.ping().cancel()
    assert await transport.ping() >= 0
