"""How the native transport delivers, holds back and ends."""

import asyncio
import json

import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from tests.support.fake_tcp import FakeTcp, client_protocol, receive, unopened
from tests.support.idle import until_idle
from tests.support.recording_sink import Recording
from ws_common.options.options import CompressionOptions, WebSocketOptions
from ws_vm.frame_reader import MAX_MESSAGES
from ws_vm.transport import VmTransport

MB = 1_000_000


def numbered(*span: int) -> bytes:
    """Text frames that hold these numbers."""
    frames = (Frame(Opcode.TEXT, b"%d:" % number) for number in range(*span))
    return b"".join(frame.serialize(mask=False) for frame in frames)


def numbers(sink: Recording) -> list[int]:
    return [int(str(message).partition(":")[0]) for message in sink.messages]


async def held(connect, server, at, **flood):
    """A flooded connection whose sink has paused it after so many messages."""
    transport, sink = await connect(server("/flood", wait=1, **flood))
    sink.react = lambda _: transport.pause_reading() if len(sink.log) == at else None
    transport.send("go", text=True)
    await sink.until_messages(at)
    await until_idle()
    return transport, sink


async def test_what_is_kept_stays_deflated(connect, server):
    """Paused, what a read has brought is not inflated, slices of 4 KiB apart."""
    # Small enough for the server to send many in one segment.
    transport, sink = await held(connect, server, 5, count=300, size=60_000, compress=1)
    assert "permessage-deflate" in transport.handshake.extensions
    assert len(sink.messages) == sink.end_of_batch(5)
    assert len(transport._held) > 0
    assert sum(sink.sizes) < 6 * MB
    sink.react = None
    transport.resume_reading()
    await sink.until_messages(300)
    assert numbers(sink) == list(range(300))


async def test_one_batch_at_a_time(connect, server):
    """A sink that pauses at every message gets one batch after the other."""
    transport, sink = await held(connect, server, 1, count=5000, size=20)
    sink.react = lambda _: transport.pause_reading()
    while len(sink.messages) < 5000:
        before = len(sink.batches)
        transport.resume_reading()
        await sink.until(lambda: len(sink.batches) > before)  # noqa: B023
        assert len(sink.batches) == before + 1
        assert sink.batches[-1] - sink.batches[-2] <= MAX_MESSAGES
    assert numbers(sink) == list(range(5000))


async def test_many_small_messages_in_one_read(connect, server):
    """Each batch is bounded, so that a pause between them can take effect."""
    transport, sink = await connect(server("/echo"))
    sink.react = lambda _: transport.pause_reading()
    receive(transport, b"\x82\x00" * 3000)
    assert sink.batches == [1024]
    transport.resume_reading()
    assert sink.batches == [1024, 2048]
    sink.react = None
    transport.resume_reading()
    assert len(sink.messages) == 3000


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


async def test_lost_while_much_is_kept(connect, server):
    """What was read before the loss is delivered before the end, though paused."""
    transport, sink = await connect(server("/echo"))
    sink.react = lambda _: transport.pause_reading()
    receive(transport, numbered(3000))
    assert len(sink.messages) == MAX_MESSAGES
    transport._tcp.abort()  # the network's doing, not ours
    await sink.until_closed()
    assert numbers(sink) == list(range(3000))
    assert sink.log == ["message"] * 3000 + ["closed"]
    assert sink.closed[0].code == 1006
    assert sink.closed[0].initiator == "network"


async def test_end_of_stream_while_much_is_kept(connect, server):
    """A FIN does not overtake what came before it."""
    transport, sink = await connect(server("/echo"))
    sink.react = lambda _: transport.pause_reading()
    receive(transport, numbered(3000))
    assert len(transport._held) > 0
    transport.eof_received()
    transport._tcp.close()
    await until_idle()
    assert numbers(sink) == list(range(3000))
    assert sink.log == ["message"] * 3000 + ["closed"]


async def test_two_faults_in_one_read(connect, server):
    """The first one counts: text that is not UTF-8, whatever came behind it."""
    transport, sink = await connect(server("/silent-close"))
    receive(transport, b"\x81\x01\xff" + b"\x83\x00")
    (closing,) = sink.closings
    assert (closing.code, closing.initiator) == (1007, "local")


async def test_refused_and_lost_at_once():
    """A refusal is no connection, even if it is gone before anybody looked."""
    sink = Recording()
    transport, _ = unopened(sink)
    receive(transport, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    transport.connection_lost(None)
    with pytest.raises(InvalidStatus) as caught:
        await transport.handshake_done()
    assert caught.value.response.status_code == 403
    assert sink.log == []


async def test_lost_while_paused_without_a_backlog(connect, server):
    """With nothing to deliver, a loss is told even while paused."""
    transport, sink = await connect(server("/echo"))
    transport.pause_reading()
    transport._tcp.abort()
    assert (await sink.until_closed()).code == 1006


async def test_abort_drops_what_is_kept(connect, server):
    """After abort() nothing of it is delivered, whatever is called."""
    transport, sink = await connect(server("/echo"))
    sink.react = lambda _: transport.pause_reading()
    receive(transport, numbered(3000))
    transport.abort()
    transport.resume_reading()
    await until_idle()
    assert sink.log == ["message"] * MAX_MESSAGES


async def test_a_socket_that_reads_on(connect, server):
    """Data that comes although paused waits in its place, also in the midst of it."""
    transport, sink = await held(connect, server, 3, count=10, size=20)
    ten = numbered(10, 11) + b"\x81\x7e\x01\x00" + b"11:" + b"x" * 100
    receive(transport, ten)
    receive(transport, b"x" * 153 + numbered(12, 13))
    assert len(sink.messages) == 10
    transport.resume_reading()
    assert numbers(sink) == list(range(13))


async def test_paused_socket_is_not_read(connect, server):
    """TCP pushes back: the server's flood stops."""
    transport, sink = await held(connect, server, 2, count=2000, size=100_000)
    await asyncio.sleep(0.05)
    assert not transport._tcp.is_reading()
    assert len(transport._held) <= 256 * 1024
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
    await until_idle()
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
    receive(transport, b"\x01\x01a" + b"\x00\x01b" * 50_000 + b"\x80\x00")
    assert sink.messages == ["a" + "b" * 50_000]


async def test_fragments_over_max_size(connect, server):
    """Fragments count together."""
    transport, sink = await connect(server("/echo"), max_size=10)
    receive(transport, b"\x01\x06abcdef" + b"\x80\x06ghijkl")
    assert sink.messages == []
    assert sink.closings[0].code == 1009


async def test_bad_text_in_front_of_a_close(connect, server):
    """A Close behind the broken message does not hide who ended it and why."""
    transport, sink = await connect(server("/echo"))
    receive(transport, b"\x81\x01\xff" + b"\x88\x02\x03\xe8")
    close = await sink.until_closed()
    assert (close.code, close.initiator) == (1007, "local")
    assert sink.log == ["closing", "closed"]


async def test_bad_data_after_our_close(connect, server):
    """Once we have asked for the end, a failure does not change its cause."""
    transport, sink = await connect(server("/silent-close"))
    transport.close(1000, None)
    receive(transport, b"\x83\x00")
    transport._tcp.abort()
    close = await sink.until_closed()
    assert (close.code, close.initiator, close.was_clean) == (1006, "local", False)
    assert sink.log == ["closed"]


async def test_pong_of_the_last_ping_alone(connect, server):
    """One Pong settles all Pings before it."""
    transport, _ = await connect(server("/no-pong"))
    first, second = transport.ping(), transport.ping()
    payload = list(transport._pings)[-1]
    receive(transport, b"\x8a\x04" + payload)
    assert await first >= await second >= 0


async def test_pong_of_the_first_ping_alone(connect, server):
    """A Pong says nothing about later Pings."""
    transport, _ = await connect(server("/no-pong"))
    first, second = transport.ping(), transport.ping()
    payload = next(iter(transport._pings))
    receive(transport, b"\x8a\x04" + payload)
    assert await first >= 0
    assert not second.done()


async def test_unsolicited_pong(connect, server):
    """A Pong that nobody asked for is nothing, and answers nothing."""
    transport, sink = await connect(server("/no-pong"))
    pong = transport.ping()
    receive(transport, b"\x8a\x05other")
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
    _, seen = await connect(server("/headers"), options=options)
    (headers,) = await seen.until_messages(1)
    asked = {name.lower(): value for name, value in json.loads(str(headers))}
    assert asked.get("sec-websocket-extensions") == offer
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


@pytest.mark.parametrize("ends", [False, True])
async def test_a_server_that_speaks_before_tls_is_known_to_be_there(ends):
    """With TLS 1.2 a refusal may come in the flight that ends the handshake of TLS."""
    sink = Recording()
    library = client_protocol(None, deflate=False)
    transport = VmTransport(library, library.connect(), WebSocketOptions(), sink)
    receive(transport, b"HTTP/1.1 503 Service Unavailable\r\n")
    receive(transport, b"Content-Length: 0\r\n\r\n")
    if ends:
        transport.eof_received()
    transport.connection_made(FakeTcp())
    if ends:
        transport.connection_lost(None)

    with pytest.raises(InvalidStatus) as caught:
        await transport.handshake_done()
    assert caught.value.response.status_code == 503
    assert sink.log == []
