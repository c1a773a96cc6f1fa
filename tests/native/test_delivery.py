"""Delivery by the native transport: batches, pauses, and the end."""

import asyncio

from websockets.frames import Frame, Opcode

from tests.support.fake_tcp import receive
from tests.support.idle import until_idle
from tests.support.recording_sink import Recording
from ws_vm.frame_reader import MAX_MESSAGES

MB = 1_000_000


def numbered(*span: int) -> bytes:
    """Return text frames that contain these numbers."""
    frames = (Frame(Opcode.TEXT, b"%d:" % number) for number in range(*span))
    return b"".join(frame.serialize(mask=False) for frame in frames)


def numbers(sink: Recording) -> list[int]:
    return [int(str(message).partition(":")[0]) for message in sink.messages]


async def held(connect, server, at, **flood):
    """Open a flooded connection whose sink pauses it after this many messages."""
    transport, sink = await connect(server("/flood", wait=1, **flood))
    sink.react = lambda _: transport.pause_reading() if len(sink.log) == at else None
    transport.send("go", text=True)
    await sink.until_messages(at)
    await until_idle()
    return transport, sink


async def test_what_is_kept_stays_deflated(connect, server):
    """During a pause at most 4 KiB of compressed data are inflated."""
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
    """Data read before the loss is delivered before the end, despite a pause."""
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


async def test_lost_while_paused_without_a_backlog(connect, server):
    """A loss is reported during a pause if there is nothing to deliver."""
    transport, sink = await connect(server("/echo"))
    transport.pause_reading()
    transport._tcp.abort()
    assert (await sink.until_closed()).code == 1006


async def test_abort_drops_what_is_kept(connect, server):
    """After abort() nothing is delivered, whatever is called."""
    transport, sink = await connect(server("/echo"))
    sink.react = lambda _: transport.pause_reading()
    receive(transport, numbered(3000))
    transport.abort()
    transport.resume_reading()
    await until_idle()
    assert sink.log == ["message"] * MAX_MESSAGES


async def test_a_socket_that_reads_on(connect, server):
    """Data that arrives during a pause is kept in order, also in mid-frame."""
    transport, sink = await held(connect, server, 3, count=10, size=20)
    ten = numbered(10, 11) + b"\x81\x7e\x01\x00" + b"11:" + b"x" * 100
    receive(transport, ten)
    receive(transport, b"x" * 153 + numbered(12, 13))
    assert len(sink.messages) == 10
    transport.resume_reading()
    assert numbers(sink) == list(range(13))


async def test_paused_socket_is_not_read(connect, server):
    """The socket is not read, so the server's flood stops."""
    transport, sink = await held(connect, server, 2, count=2000, size=100_000)
    await asyncio.sleep(0.05)
    assert not transport._tcp.is_reading()
    assert len(transport._held) <= 256 * 1024
    assert len(sink.messages) == 2
