"""How the engine delivers, holds back and ends."""

import asyncio
from unittest.mock import Mock

import pytest
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from tests.support.recording import Recording
from ws_common.options import CompressionOptions, WebSocketOptions
from ws_vm.engine import Engine

MB = 1_000_000


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


async def test_deflated_backlog_stays_deflated(connect, server):
    """Paused, what a read has brought is not inflated, slices of 4 KiB apart."""
    # Small enough for the server to send many in one segment.
    transport, sink = await held(connect, server, 5, count=300, size=60_000, compress=1)
    assert "permessage-deflate" in transport.handshake.extensions
    assert len(sink.messages) == 5
    engine = transport._engine
    assert len(engine._backlog) > 0
    inflated = sum(len(frame.data) for frame in engine._frames)
    assert inflated < 6 * MB
    sink.react = None
    transport.resume_reading()
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


async def test_lost_with_a_backlog(connect, server):
    """What was read before the loss is delivered before the end, though paused."""
    transport, sink = await held(connect, server, 3, count=60, size=64)
    assert sink.log == ["message"] * 3
    transport._engine.transport.abort()  # the network's doing, not ours
    await sink.until_closed()
    assert numbers(sink) == list(range(60))
    assert sink.log == ["message"] * 60 + ["closed"]
    assert sink.closed[0].code == 1006
    assert sink.closed[0].initiator == "network"


async def test_end_of_stream_with_a_backlog(connect, server):
    """A FIN does not overtake what came before it."""
    transport, sink = await connect(server("/echo"))
    sink.react = lambda _: transport.pause_reading() if len(sink.log) == 3 else None
    engine = transport._engine
    frames = [b"\x82\x7e\x03\xe8" + b"%04d:" % i + bytes(995) for i in range(60)]
    engine.data_received(b"".join(frames))
    assert len(engine._backlog) > 0
    engine.eof_received()
    engine.transport.close()
    await turns()
    assert [int(message[:4]) for message in sink.messages] == list(range(60))
    assert sink.log == ["message"] * 60 + ["closed"]


async def test_two_faults_in_one_read(connect, server):
    """Text that is not UTF-8 does not hide the bad frame that came behind it."""
    transport, sink = await connect(server("/silent-close"))
    transport._engine.data_received(b"\x81\x01\xff" + b"\x83\x00")
    (closing,) = sink.closings
    assert (closing.code, closing.initiator) == (1002, "local")


async def test_refused_and_lost_at_once():
    """A refusal is no connection, even if it is gone before anybody looked."""
    sink = Recording()
    engine = Engine(ClientProtocol(parse_uri("ws://x/")), sink=sink)
    engine.connection_made(Mock(spec=asyncio.Transport))
    engine.data_received(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    engine.connection_lost(None)
    assert engine.response.status_code == 403
    assert sink.log == []


async def test_lost_while_paused_without_a_backlog(connect, server):
    """With nothing to deliver, a loss is told even while paused."""
    transport, sink = await connect(server("/echo"))
    transport.pause_reading()
    transport._engine.transport.abort()
    assert (await sink.until_closed()).code == 1006


async def test_abort_drops_the_backlog(connect, server):
    """After abort() nothing of it is delivered, whatever is called."""
    transport, sink = await held(connect, server, 3, count=60, size=64)
    transport.abort()
    transport.resume_reading()
    await turns()
    assert sink.log == ["message"] * 3


async def test_a_socket_that_reads_on(connect, server):
    """Data that comes although paused waits in its place."""
    transport, sink = await held(connect, server, 3, count=10, size=20)
    engine = transport._engine
    engine.data_received(b"\x81\x02" + b"10")
    engine.data_received(b"\x81\x02" + b"11")
    assert len(sink.messages) == 3
    transport.resume_reading()
    assert numbers(sink) == list(range(12))


async def test_paused_socket_is_not_read(connect, server):
    """TCP pushes back: the server's flood stops."""
    transport, sink = await held(connect, server, 2, count=2000, size=100_000)
    engine = transport._engine
    await asyncio.sleep(0.05)
    assert not engine.transport.is_reading()
    assert len(engine._backlog) <= 256 * 1024
    assert len(sink.messages) == 2


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


async def test_many_fragments(connect, server):
    """A message may come in very many fragments; memory is bounded by its size."""
    transport, sink = await connect(server("/echo"))
    engine = transport._engine
    engine.data_received(b"\x01\x01a" + b"\x00\x01b" * 50_000 + b"\x80\x00")
    assert sink.messages == ["a" + "b" * 50_000]


async def test_fragments_over_max_size(connect, server):
    """Fragments count together."""
    transport, sink = await connect(server("/echo"), max_size=10)
    transport._engine.data_received(b"\x01\x06abcdef" + b"\x80\x06ghijkl")
    assert sink.messages == []
    assert sink.closings[0].code == 1009


async def test_bad_text_in_front_of_a_close(connect, server):
    """A Close behind the broken message does not hide who ended it and why."""
    transport, sink = await connect(server("/echo"))
    transport._engine.data_received(b"\x81\x01\xff" + b"\x88\x02\x03\xe8")
    close = await sink.until_closed()
    assert (close.code, close.initiator) == (1007, "local")
    assert sink.log == ["closing", "closed"]


async def test_bad_data_after_our_close(connect, server):
    """Once we have asked for the end, a failure does not change its cause."""
    transport, sink = await connect(server("/silent-close"))
    transport.close(1000, None)
    transport._engine.data_received(b"\x83\x00")
    transport._engine.transport.abort()
    close = await sink.until_closed()
    assert (close.code, close.initiator, close.was_clean) == (1006, "local", False)
    assert sink.log == ["closed"]


async def test_pong_of_the_last_ping_alone(connect, server):
    """One Pong settles all Pings before it."""
    transport, _ = await connect(server("/no-pong"))
    first, second = transport.ping(), transport.ping()
    payload = list(transport._engine.pings._waiting)[-1]
    transport._engine.data_received(b"\x8a\x04" + payload)
    assert await first >= await second >= 0


async def test_pong_of_the_first_ping_alone(connect, server):
    """A Pong says nothing about later Pings."""
    transport, _ = await connect(server("/no-pong"))
    first, second = transport.ping(), transport.ping()
    payload = next(iter(transport._engine.pings._waiting))
    transport._engine.data_received(b"\x8a\x04" + payload)
    assert await first >= 0
    assert not second.done()


async def test_unsolicited_pong(connect, server):
    """A Pong that nobody asked for is nothing, and answers nothing."""
    transport, sink = await connect(server("/no-pong"))
    pong = transport.ping()
    transport._engine.data_received(b"\x8a\x05other")
    assert not pong.done()
    transport.send("ping", text=True)
    assert await sink.until_messages(1) == ["pong"]


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
    transport, sink = await connect(server("/echo", compress=1), options=options)
    request = transport._engine.request
    assert request.headers.get("Sec-WebSocket-Extensions") == offer
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
