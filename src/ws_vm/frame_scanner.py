"""Finds the boundaries of frames without parsing them (RFC 6455 section 5.2).

Theory of operation. A header says where its frame ends, so the boundaries of all frames
are known once the headers have been read. `frame_bounds()` reads one header.
`extract_control_frames()` walks over the data that a paused connection receives. It
keeps data frames for later, and returns control frames apart from them, because a Ping
must be answered and a Close must be noticed even during a pause.

Frames are checked only as far as the walk needs it. It stops at a frame that breaks the
protocol. The library, which receives this frame later, says what is wrong with it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from websockets.frames import Opcode

FIN = 0x80
"""The bit of the first byte that marks the last frame of a message."""

OPCODE = 0x0F
"""The bits of the first byte that hold the opcode."""

CONTROL = 0x08
"""The bit of the first byte that all control frames have, and no data frame."""

MASKED = 0x80
"""The bit of the second byte that says that a frame is masked.

A server must not mask its frames (section 5.1).
"""

LENGTH_16, LENGTH_64 = 126, 127
"""The values of the second byte for a length that follows in 2 or in 8 bytes."""

TEXT, BINARY = FIN | Opcode.TEXT, FIN | Opcode.BINARY
"""The first byte of a frame that is a whole, uncompressed message."""

# The limit of section 5.5. So the second byte of a control frame is its length.
_MAX_CONTROL = 125
_CONTROLS = {
    FIN | opcode: opcode for opcode in (Opcode.CLOSE, Opcode.PING, Opcode.PONG)
}
"""The opcodes of control frames by their first byte.

There is one value for each, since a control frame must not be fragmented (section 5.5)
or compressed (RFC 7692 section 6.1).
"""


class ExtractedFrames(NamedTuple):
    """The result of `extract_control_frames()`.

    Attributes:
        kept: The bytes to keep for later, without Pings and Pongs.
        partial: The beginning of a frame: a data frame whose header is incomplete, or
            a control frame that is incomplete.
        missing: How many bytes of the last data frame are still to be received.
        controls: The opcodes and payloads of Pings and Pongs, in order.
        closes: Whether `kept` contains a frame that ends the connection: a Close, or
            one that breaks the protocol. Everything behind that frame is kept.
    """

    kept: bytes
    partial: bytes
    missing: int
    controls: Sequence[tuple[Opcode, bytes]]
    closes: bool


def frame_bounds(data: bytes, at: int) -> tuple[int, int]:
    """Return the offsets of the first byte of a payload, and of the byte behind it.

    Both are 0 if the header is incomplete. The end may be beyond the data. The offsets
    of a masked frame, which a server must not send, are meaningless.

    Args:
        data: Received bytes.
        at: The offset of the frame.
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
    """Take Pings and Pongs out of the data that a paused connection has received.

    Args:
        data: Consecutive bytes of the stream.
        missing: How many of the first bytes belong to a data frame that began before.
    """
    kept: list[bytes] = []
    controls: list[tuple[Opcode, bytes]] = []
    start, at = 0, _next_control(data, missing)
    while at + 2 <= len(data):
        opcode, end = _CONTROLS.get(data[at]), at + 2 + data[at + 1]
        if not data[at] & CONTROL and data[at + 1] < MASKED:
            break  # a data frame whose header is incomplete
        # A first byte that is not in the table breaks the protocol: a control frame
        # with RSV bits or without FIN, an unknown opcode, or a masked data frame.
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
    """Skip data frames.

    Returns:
        The offset of the first frame that is a control frame, is masked, or has an
        incomplete header. It may be beyond the data: the rest of a data frame is then
        still to be received.
    """
    # The loop runs once for each frame that is received while paused: a server may send
    # 32,768 empty ones in one read. So constants are local, and the short length, which
    # is the most frequent, is handled without a call.
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
