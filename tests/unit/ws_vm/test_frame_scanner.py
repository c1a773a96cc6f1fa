"""Control frames are found as the library finds them, wherever the bytes are cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode

from tests.support.fake_tcp import client_protocol, response_to
from ws_vm.frame_scanner import extract_control_frames

CONTROL = {Opcode.CLOSE, Opcode.PING, Opcode.PONG}

sizes = st.sampled_from([0, 1, 125, 126, 127, 300, 65_535, 65_536])
data_frames = st.tuples(st.booleans(), sizes)
control_frames = st.tuples(
    st.sampled_from([Opcode.PING, Opcode.PONG]), st.integers(2, 125)
)


@st.composite
def conversations(draw, *, closing=True):
    """Valid frames of a server; each Ping and Pong has a payload of its own."""
    frames: list[Frame] = []
    in_message = False
    marks = itertools.count()
    for kind, how in draw(st.lists(data_frames | control_frames, max_size=12)):
        if isinstance(kind, Opcode):
            payload = next(marks).to_bytes(2, "big").ljust(how, b"\x89")
            frames.append(Frame(kind, payload))
        else:
            opcode = Opcode.CONT if in_message else Opcode.BINARY
            # Payloads that look like headers of Pings.
            frames.append(Frame(opcode, b"\x89\x01" * (how // 2), fin=kind))
            in_message = not kind
    if in_message:
        frames.append(Frame(Opcode.CONT, b""))
    if closing and draw(st.booleans()):
        frames.append(Frame(Opcode.CLOSE, b"\x03\xe8bye"))
        frames.append(Frame(Opcode.PING, b"behind it"))
    return frames


def wire(frames) -> bytes:
    return b"".join(frame.serialize(mask=False) for frame in frames)


def opened() -> ClientProtocol:
    """A parser that waits for frames."""
    protocol = client_protocol(None, deflate=False)
    protocol.receive_data(response_to(protocol))
    protocol.events_received()
    return protocol


def parsed(protocol: ClientProtocol) -> list[Frame]:
    return [event for event in protocol.events_received() if isinstance(event, Frame)]


def controls(frames) -> list[tuple[Opcode, bytes]]:
    return [(f.opcode, bytes(f.data)) for f in frames if f.opcode in CONTROL]


def pieces(stream: bytes, cuts) -> list[bytes]:
    ends = sorted({round(cut * len(stream)) for cut in cuts} | {len(stream)})
    return [
        stream[a:b] for a, b in itertools.pairwise([0, *ends]) if a < b or not stream
    ]


cuts = st.lists(st.floats(0, 1), max_size=20)


class Paused:
    """Does what a paused connection does with what it reads."""

    def __init__(self) -> None:
        self.kept = self.partial = b""
        self.missing = 0
        self.ends = False
        self.found: list[tuple[Opcode, bytes]] = []

    def read(self, piece: bytes) -> None:
        if self.ends:
            self.kept += piece
            return
        aside = extract_control_frames(self.partial + piece, self.missing)
        self.kept += aside.kept
        self.partial, self.missing, self.ends = (
            aside.partial,
            aside.missing,
            aside.closes,
        )
        self.found += aside.controls

    def read_all(self, stream_pieces) -> None:
        for piece in stream_pieces:
            self.read(piece)


@given(conversations(), cuts)
def test_same_as_the_parser(frames, cuts):
    """Cut anywhere, a stream has the control frames that the library sees.

    Pings and Pongs are taken out; the Close, and all that is behind it, is not.
    """
    protocol, stream, paused = opened(), wire(frames), Paused()
    protocol.receive_data(stream)
    expected = controls(parsed(protocol))
    paused.read_all(pieces(stream, cuts))
    closing = any(opcode is Opcode.CLOSE for opcode, _ in expected)
    assert paused.ends == closing
    assert paused.found == [found for found in expected if found[0] != Opcode.CLOSE]
    end = next((i for i, f in enumerate(frames) if f.opcode is Opcode.CLOSE), None)
    kept = [
        frame
        for index, frame in enumerate(frames)
        if frame.opcode not in CONTROL or (end is not None and index >= end)
    ]
    assert paused.kept + paused.partial == wire(kept)


def test_byte_by_byte():
    """Every byte may come alone."""
    frames = [
        Frame(Opcode.TEXT, b"a" * 300, fin=False),
        Frame(Opcode.PING, b"one"),
        Frame(Opcode.CONT, b""),
        Frame(Opcode.BINARY, bytes(70_000)),
        Frame(Opcode.PONG, b""),
        Frame(Opcode.CLOSE, b""),
    ]
    paused = Paused()
    paused.read_all(bytes([byte]) for byte in wire(frames))
    assert paused.found == controls(frames)[:-1]
    assert paused.ends


@pytest.mark.parametrize(
    "broken",
    [
        b"\x81\x81",  # masked
        b"\x89\x7e",  # a Ping of more than 125 bytes
        b"\x09\x00",  # a Ping in fragments
        b"\xc9\x00",  # a Ping that is deflated
        b"\x8b\x00",  # a control frame that does not exist
    ],
)
def test_ends_where_the_protocol_is_broken(broken):
    """What no server may send is the library's business; nothing is made up."""
    ping = wire([Frame(Opcode.PING, b"one")])
    aside = extract_control_frames(ping + broken + ping, 0)
    assert aside.controls == [(Opcode.PING, b"one")]
    assert aside.closes
    assert aside.kept == broken + ping


@given(st.binary(max_size=300), cuts)
def test_any_bytes(stream, cuts):
    """Nonsense is no error, and none of it is lost but what was taken out."""
    paused = Paused()
    paused.read_all(pieces(stream, cuts))
    taken = sum(2 + len(payload) for _, payload in paused.found)
    assert len(paused.kept) + len(paused.partial) + taken == len(stream)


@given(conversations(closing=False), st.floats(0, 1), cuts)
def test_in_the_midst_of_a_frame(frames, begin, cuts):
    """A pause may begin anywhere: the rest of the frame is no header."""
    protocol, stream = opened(), wire(frames)
    start = round(begin * len(stream))
    before = 0
    for frame in frames:
        end = before + len(wire([frame]))
        if end > start:
            break
        before = end
    else:
        before, end = start, start
    paused = Paused()
    if before < start and frame.opcode not in CONTROL:
        paused.missing = end - start
    else:
        start = before
    paused.read_all(pieces(stream[start:], cuts))
    protocol.receive_data(stream[:start] + paused.kept + paused.partial)
    sent = [(f.opcode, f.data) for f in frames if f.opcode not in CONTROL]
    assert [
        (f.opcode, f.data) for f in parsed(protocol) if f.opcode not in CONTROL
    ] == sent
