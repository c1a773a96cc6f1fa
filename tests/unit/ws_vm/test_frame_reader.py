"""Our reading of frames and the library's alone come to the same, however it is cut.

The reference is the library's protocol, fed with the whole stream frame by frame, and
twenty lines that assemble fragments and check UTF-8. The first fault counts.
"""

import asyncio
import itertools
import zlib
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from tests.support.fake_tcp import client_protocol, opened, receive, response_to
from tests.support.hostile_bytes import frame as raw_frame
from tests.support.recording_sink import Recording
from ws_common.vocabulary.messages import Data

MAX_SIZE = 70_000

CONTINUED = {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}

sizes = st.sampled_from(
    [0, 1, 2, 125, 126, 127, 300, 4096, 16_383, 16_384, 65_535, 65_536, 69_999, 70_000]
)
text = st.sampled_from(["a", "é", "€", "🌍"])


@dataclass
class Outcome:
    """What a stream came to."""

    messages: list[Data] = field(default_factory=list)
    code: int | None = None
    pongs: list[bytes] = field(default_factory=list)


def squeezed(payload: bytes, *, last: bool = True) -> bytes:
    """Deflated so that no window is needed from one message to the next."""
    deflating = zlib.compressobj(1, zlib.DEFLATED, -15)
    data = deflating.compress(payload) + deflating.flush(zlib.Z_FULL_FLUSH)
    return data.removesuffix(b"\x00\x00\xff\xff") if last else data


def utf8(unit: str, size: int) -> bytes:
    """Text of this many bytes."""
    encoded = unit.encode()
    return encoded * (size // len(encoded)) + b"x" * (size % len(encoded))


@st.composite
def plain(draw) -> list[bytes]:
    """One message in one frame."""
    size = draw(sizes)
    if draw(st.booleans()):
        return [raw_frame(0x81, utf8(draw(text), size))]
    return [raw_frame(0x82, bytes(size))]


@st.composite
def many(draw) -> list[bytes]:
    """Many small messages, more than a batch holds."""
    count = draw(st.sampled_from([3, 1023, 1024, 1025, 3000]))
    size = draw(st.sampled_from([0, 1, 64]))
    return [raw_frame(0x81, b"m" * size)] * count


@st.composite
def fragmented(draw) -> list[bytes]:
    """One message in several frames, control frames between them, deflated or not."""
    payload = utf8(draw(text), draw(sizes))
    ends = sorted(draw(st.lists(st.integers(0, len(payload)), min_size=1, max_size=4)))
    parts = [payload[a:b] for a, b in itertools.pairwise([0, *ends, len(payload)])]
    first = draw(st.sampled_from([0x01, 0x02]))
    if draw(st.booleans()):
        first |= 0x40
        parts = [*(squeezed(p, last=False) for p in parts[:-1]), squeezed(parts[-1])]
    frames = []
    for index, part in enumerate(parts):
        opcode = first if index == 0 else 0x00
        last = 0x80 if index == len(parts) - 1 else 0
        frames.append(raw_frame(opcode | last, part))
        frames += draw(st.lists(control, max_size=1))
    return frames


@st.composite
def deflated(draw) -> list[bytes]:
    """One message in one compressed frame."""
    payload = utf8(draw(text), draw(sizes))
    return [raw_frame(draw(st.sampled_from([0xC1, 0xC2])), squeezed(payload))]


control = st.builds(
    lambda first, size, unit: raw_frame(first, unit * size),
    st.sampled_from([0x89, 0x8A]),
    st.sampled_from([0, 1, 4, 125]),
    st.binary(min_size=1, max_size=1),
)

faults = st.sampled_from(
    [
        raw_frame(0x88, b""),
        raw_frame(0x88, b"\x03\xe8bye"),
        raw_frame(0x88, b"\x0f\xa1"),
        raw_frame(0x88, b"\x00\x01"),  # a code that does not exist
        raw_frame(0x88, b"\x03"),  # half a code
        raw_frame(0x88, b"\x03\xe8\xff"),  # a reason that is not UTF-8
        raw_frame(0x81, b"b\xffd"),
        raw_frame(0x81, utf8("€", 20_000) + b"\xff"),
        raw_frame(0xC1, squeezed(b"b\xffd")),
        raw_frame(0xC1, b"\x07\xff\xff"),  # no deflate at all
        raw_frame(0xC1, squeezed(bytes(MAX_SIZE + 1))),
        raw_frame(0x01, b"\xe2") + raw_frame(0x80, b"\x82"),
        raw_frame(0x01, b"") + raw_frame(0x81, b"no continuation"),
        raw_frame(0x02, bytes(60_000)) + raw_frame(0x80, bytes(20_000)),
        raw_frame(0x80, b"continues nothing"),
        raw_frame(0x82, bytes(MAX_SIZE + 1)),
        raw_frame(0xD1, b"reserved bits"),
        raw_frame(0xA1, b"another"),
        raw_frame(0x83, b"an opcode that does not exist"),
        raw_frame(0x8B, b""),
        raw_frame(0x09, b""),  # a Ping in fragments
        raw_frame(0x89, bytes(126)),  # a Ping that is too long
        b"\x81\x85abcdhello",  # masked
        b"\x89\x80abcd",
        b"\x82\x7f" + b"\xff" * 8,
        b"\x81\x7e\x00\x01x",  # a length that is not minimal
    ]
)

pieces = st.one_of(
    plain(), plain(), many(), fragmented(), deflated(), control.map(lambda one: [one])
)


class Stream(list[bytes]):
    """Frames, shown by their first bytes and their lengths."""

    def __repr__(self) -> str:
        shown = [f"{frame[:14].hex(' ')} ({len(frame)})" for frame in self[:40]]
        return f"<{len(self)} frames: {', '.join(shown)}>"


@st.composite
def any_stream(draw) -> Stream:
    """Messages and control frames, perhaps a fault, perhaps more behind it."""
    groups = draw(st.lists(pieces, max_size=6))
    fault = draw(st.lists(faults, max_size=1))
    behind = draw(st.lists(pieces, max_size=2))
    chain = itertools.chain.from_iterable
    return Stream([*chain(groups), *fault, *chain(behind)])


streams = any_stream()


def by_the_library(frames: list[bytes], max_size: int, *, deflate: bool) -> Outcome:
    """What the library alone makes of it."""
    protocol, outcome = client_protocol(max_size, deflate=deflate), Outcome()
    protocol.receive_data(response_to(protocol, deflate=deflate))
    protocol.events_received()
    opcode, payload = Opcode.BINARY, bytearray()
    for frame in frames:
        protocol.receive_data(frame)
        for event in protocol.events_received():
            assert isinstance(event, Frame)
            if event.opcode is Opcode.PING:
                outcome.pongs.append(bytes(event.data))
            if event.opcode is Opcode.CLOSE:
                assert protocol.close_rcvd is not None
                outcome.code = int(protocol.close_rcvd.code)
                return outcome
            if event.opcode not in CONTINUED:
                continue
            if event.opcode is not Opcode.CONT:
                opcode = event.opcode
            payload += event.data
            if event.fin:
                try:
                    is_text = opcode is Opcode.TEXT
                    message = payload.decode() if is_text else bytes(payload)
                except UnicodeDecodeError:
                    outcome.code = 1007
                    return outcome
                outcome.messages.append(message)
                payload.clear()
        if protocol.parser_exc is not None:
            assert protocol.close_sent is not None
            outcome.code = int(protocol.close_sent.code)
            return outcome
    return outcome


@dataclass(frozen=True)
class Reads:
    """How a stream reaches our side.

    Attributes:
        cuts: Where it is cut, as parts of its length, and by single bytes.
        pauses: Whether the sink pauses at a batch, one after the other.
        resumes: Whether it resumes after a read, likewise.
    """

    cuts: list[float]
    pauses: list[bool]
    resumes: list[bool]

    def of(self, stream: bytes) -> list[bytes]:
        near = {round(cut * len(stream)) for cut in self.cuts}
        ends = sorted({0, *near, *(end + 1 for end in near), len(stream)})
        return [stream[a:b] for a, b in itertools.pairwise(ends)]


reads = st.builds(
    Reads,
    st.lists(st.floats(0, 1), max_size=12),
    st.lists(st.booleans(), max_size=12),
    st.lists(st.booleans(), max_size=12),
)
SMOOTH = Reads([], [], [])
limits = st.sampled_from([MAX_SIZE, MAX_SIZE, 300, 125])
"""Not below 125: of a longer Ping the library says that it is too large, and while
paused it is answered all the same, since it is no message."""


async def by_ours(
    frames: list[bytes], how: Reads, max_size: int, *, deflate: bool
) -> Outcome:
    """What our transport makes of it."""
    sink = Recording()
    transport, tcp = opened(sink, max_size=max_size, deflate=deflate)
    pauses, resumes = iter(how.pauses), iter(how.resumes)

    def react(event: str) -> None:
        ended = event == "message" and len(sink.messages) == sink.batches[-1]
        if ended and next(pauses, False):
            transport.pause_reading()

    sink.react = react
    for piece in how.of(b"".join(frames)):
        before = len(sink.batches), len(sink.messages)
        receive(transport, piece)
        if next(resumes, True):
            transport.resume_reading()
        assert len(sink.messages) - before[1] <= 2048 * (len(sink.batches) - before[0])
    for _ in range(20_000):
        if not transport._held:
            break
        transport.resume_reading()
    transport.resume_reading()
    code = sink.closings[0].code if sink.closings else None
    assert sink.log == ["message"] * len(sink.messages) + ["closing"] * bool(code)
    pongs = [payload for opcode, payload in sent(tcp.written) if opcode is Opcode.PONG]
    transport.abort()
    return Outcome(sink.messages, code, pongs)


def sent(written: bytes) -> list[tuple[Opcode, bytes]]:
    """The frames that the client has written; all are masked and short."""
    frames = []
    while written:
        length = written[1] & 0x7F
        mask, payload = written[2:6], written[6 : 6 + length]
        unmasked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        frames.append((Opcode(written[0] & 0x0F), unmasked))
        written = written[6 + length :]
    return frames


@pytest.fixture(scope="module")
def run():
    """Runs a coroutine, all on one loop."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.mark.parametrize("deflate", [False, True])
@settings(deadline=None, max_examples=200)
@given(frames=streams, how=reads, limit=limits)
@example(frames=[raw_frame(0x81, b"\xff"), b"\x83\x00"], how=SMOOTH, limit=MAX_SIZE)
@example(frames=[raw_frame(0x82, bytes(70_000))] * 3, how=SMOOTH, limit=MAX_SIZE)
@example(frames=[raw_frame(0x82, bytes(301))], how=SMOOTH, limit=300)
@example(frames=[raw_frame(0x82, bytes(101))], how=SMOOTH, limit=100)
@example(
    frames=[b"\x81\x01a"] * 5000, how=Reads([], [True] * 3, [False] * 2), limit=MAX_SIZE
)
def test_same_messages_and_same_end(run, frames, how, limit, deflate):
    """Any frames, cut anywhere, with pauses anywhere."""
    expected = by_the_library(frames, limit, deflate=deflate)
    outcome = run(by_ours(frames, how, limit, deflate=deflate))
    if expected.code is not None:
        # Pings behind a fault may be answered before it is met: while paused, and
        # where the library has parsed on when we decode.
        outcome.pongs = outcome.pongs[: len(expected.pongs)]
    assert outcome == expected


@settings(deadline=None, max_examples=50)
@given(frames=streams)
def test_byte_by_byte(run, frames):
    """Each byte in a read of its own."""
    stream = b"".join(frames)[:20_000]

    async def ours() -> Recording:
        sink = Recording()
        transport, _ = opened(sink, max_size=MAX_SIZE, deflate=True)
        for index in range(len(stream)):
            receive(transport, stream[index : index + 1])
        transport.abort()
        return sink

    sink = run(ours())
    single = [stream[i : i + 1] for i in range(len(stream))]
    expected = by_the_library(single, MAX_SIZE, deflate=True)
    assert sink.messages == expected.messages
    assert [close.code for close in sink.closings] == [expected.code] * bool(
        expected.code
    )
