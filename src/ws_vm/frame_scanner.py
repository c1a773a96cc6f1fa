"""Boundaries of frames (RFC 6455 section 5.2), found without parsing what is in them.

Theory of operation. A header says where its frame ends, so that all boundaries of a
stream are known after its headers alone were read. `frame_bounds()` reads one header.
`extract_control_frames()` walks what a connection receives while its reader has paused:
data frames are kept for later, and control frames are taken out and handed back,
because a Ping must be answered and a Close be seen at any time.

Nothing is checked here beyond what the walk itself needs. A frame that breaks the
protocol ends it, and the library that is handed this frame later says what is wrong.
"""

from collections.abc import Sequence
from typing import NamedTuple

from websockets.frames import Opcode

FIN = 0x80
"""The bit of the first byte that says that a frame ends its message."""

OPCODE = 0x0F
"""The bits of the first byte that say what a frame is."""

CONTROL = 0x08
"""The bit of the first byte that all control frames have."""

MASKED = 0x80
"""The bit of the second byte that no server may set (section 5.1)."""

LENGTH_16, LENGTH_64 = 126, 127
"""What the second byte is where the length follows in 2 or 8 bytes."""

TEXT, BINARY = FIN | Opcode.TEXT, FIN | Opcode.BINARY
"""The first byte of a frame that is a whole message, and not compressed."""

_MAX_CONTROL = 125  # so the length of a control frame is its second byte (section 5.5)
_CONTROLS = {
    FIN | opcode: opcode for opcode in (Opcode.CLOSE, Opcode.PING, Opcode.PONG)
}
"""The first byte of each control frame: none may be fragmented, none compressed."""


class ExtractedFrames(NamedTuple):
    """What `extract_control_frames()` has found.

    Attributes:
        kept: The bytes to keep, without the control frames that were taken out.
        partial: The beginning of a frame whose header, or whose payload where it is a
            control frame, is not complete.
        missing: Bytes of the last data frame that are still to come.
        controls: Pings and Pongs, with their payloads, in order.
        closes: Whether `kept` has a frame that closes the connection: a Close, or one
            that breaks the protocol. Nothing is taken out behind it.
    """

    kept: bytes
    partial: bytes
    missing: int
    controls: Sequence[tuple[Opcode, bytes]]
    closes: bool


def frame_bounds(data: bytes, at: int) -> tuple[int, int]:
    """Return where the payload of the frame at `at` begins, and where it ends.

    Both are 0 where the header is not complete. The end may be beyond the data. For a
    masked frame, which no server may send, they mean nothing.
    """
    if at + 2 > len(data):
        return 0, 0
    length = data[at + 1]
    if length < LENGTH_16:
        begin = at + 2
    else:
        begin = at + (4 if length == LENGTH_16 else 10)
        if begin > len(data):
            return 0, 0
        length = int.from_bytes(data[at + 2 : begin], "big")
    return begin, begin + length


def extract_control_frames(data: bytes, missing: int) -> ExtractedFrames:
    """Take the Pings and Pongs out of what a paused connection has received.

    Args:
        data: Consecutive bytes of the stream.
        missing: How many of them belong to a frame that began before.
    """
    kept: list[bytes] = []
    controls: list[tuple[Opcode, bytes]] = []
    start, at = 0, _next_control(data, missing)
    while at + 2 <= len(data):
        opcode, end = _CONTROLS.get(data[at]), at + 2 + data[at + 1]
        if not data[at] & CONTROL and data[at + 1] < MASKED:
            break  # a data frame whose header is not complete
        closes = opcode is None or data[at + 1] > _MAX_CONTROL
        if closes or (opcode is Opcode.CLOSE and end <= len(data)):
            return ExtractedFrames(
                b"".join((*kept, data[start:])), b"", 0, controls, closes=True
            )
        if opcode is None or end > len(data):
            break
        kept.append(data[start:at])
        controls.append((opcode, data[at + 2 : end]))
        start, at = end, _next_control(data, end)
    kept.append(data[start:at])
    next_missing = max(0, at - len(data))
    return ExtractedFrames(
        b"".join(kept), data[at:], next_missing, controls, closes=False
    )


def _next_control(data: bytes, at: int) -> int:
    """Return where the next frame begins that is no complete header of a data frame.

    Runs once for each frame that is received while paused: every step here counts.
    """
    last, control, longer = len(data) - 1, CONTROL, LENGTH_16
    while at < last:
        length = data[at + 1]
        if data[at] & control or length >= MASKED:
            break
        if length < longer:
            at += 2 + length
        else:
            begin, end = frame_bounds(data, at)
            if not begin:
                break
            at = end
    return at
