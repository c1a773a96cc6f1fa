"""The scanner finds what the library's parser would, wherever the bytes are cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri
from websockets.utils import accept_key

from ws_vm.backlog import Backlog
from ws_vm.scan import Scanner

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


def opened() -> tuple[ClientProtocol, bytes]:
    """A parser that waits for the server's response, and that response."""
    protocol = ClientProtocol(parse_uri("ws://host/"), max_size=None)
    response = (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(protocol.key)}\r\n\r\n"
    )
    return protocol, response.encode()


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


@given(conversations(), cuts)
def test_same_as_the_parser(frames, cuts):
    """Cut anywhere, a stream has the control frames that the library sees."""
    protocol, response = opened()
    stream = response + wire(frames)
    protocol.receive_data(stream)
    expected = controls(parsed(protocol))
    scanner, at, found = Scanner(), 0, []
    for piece in pieces(stream, cuts):
        for control in scanner.walk(piece):
            found.append((control.opcode, control.payload))
            whole = stream[at + control.begin : at + control.end]
            assert whole == wire([Frame(control.opcode, control.payload)])
        at += len(piece)
    assert found == expected


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
    _, response = opened()
    scanner = Scanner()
    found = [
        (control.opcode, control.payload)
        for byte in response + wire(frames)
        for control in scanner.walk(bytes([byte]))
    ]
    assert found == controls(frames)


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
def test_stops_where_the_protocol_is_broken(broken):
    """What no server may send is the library's business; nothing is made up."""
    _, response = opened()
    scanner = Scanner()
    ping = wire([Frame(Opcode.PING, b"one")])
    found = scanner.walk(response + ping + broken + ping)
    assert [control.payload for control in found] == [b"one"]
    assert scanner.walk(ping) == ()


@given(st.binary(max_size=300), cuts)
def test_any_bytes(stream, cuts):
    """Nonsense is no error."""
    scanner = Scanner()
    for piece in [b"HTTP/1.1 101 Yes\r\n\r\n", *pieces(stream, cuts)]:
        scanner.walk(piece)


@given(conversations(closing=False), cuts, st.data())
def test_backlog(frames, cuts, data):
    """Looked through and taken in any order, nothing is lost or seen too late.

    A Ping that was looked at does not reach the parser, unless it had begun to.
    """
    protocol, response = opened()
    backlog = Backlog()
    looked: list[tuple[Opcode, bytes]] = []
    taken: list[Frame] = []

    def take(size: int) -> None:
        protocol.receive_data(bytes(backlog.take(size)))
        taken.extend(parsed(protocol))

    for piece in pieces(response + wire(frames), cuts):
        backlog.add(piece)
        if data.draw(st.booleans()):
            looked += [(c.opcode, c.payload) for c in backlog.look()]
        if data.draw(st.booleans()):
            take(data.draw(st.integers(1, 400)))
    while backlog:
        take(16_384)
    assert [(f.opcode, f.fin, f.data) for f in taken if f.opcode not in CONTROL] == [
        (f.opcode, f.fin, f.data) for f in frames if f.opcode not in CONTROL
    ]
    seen = controls(taken)
    assert set(looked) | set(seen) == set(controls(frames))
    assert len(set(looked)) == len(looked)
    assert len(set(seen)) == len(seen)


def test_looked_at_is_taken_out():
    """A Ping that is answered is not parsed again, nor is one that came in two."""
    _, response = opened()
    backlog = Backlog()
    backlog.add(response)
    backlog.take(len(response))
    one, two = (Frame(Opcode.PING, name) for name in (b"one", b"two"))
    text = Frame(Opcode.TEXT, b"text")
    stream = wire([text, one, text, two])
    backlog.add(stream[:-2])
    assert [control.payload for control in backlog.look()] == [b"one"]
    backlog.add(stream[-2:] + wire([text]))
    assert [control.payload for control in backlog.look()] == [b"two"]
    assert backlog.take(1000) == wire([text, text, text])
