"""Finds control frames in the bytes of a peer, without parsing or inflating the rest.

A reader that has paused wants no messages, but a Ping must be answered and a Close
be seen. Frame headers say enough for that: what a data frame holds is skipped.

Nothing is checked here. What breaks the protocol makes the scanner stop, and the
library say so when it comes to these bytes.
"""

from collections.abc import Sequence
from typing import NamedTuple

from websockets.frames import Opcode

_END_OF_RESPONSE = b"\r\n\r\n"
_CONTROL = 0x08  # the highest bit of an opcode (RFC 6455 section 5.2)
_MAX_CONTROL = 125  # so its length is always in the second byte (section 5.5)
_LENGTH_16, _LENGTH_64 = 126, 127  # larger ones have the bit of a mask
_FIRST = {0x80 | opcode: opcode for opcode in (Opcode.CLOSE, Opcode.PING, Opcode.PONG)}
"""The first byte of each control frame: none may be in fragments, none deflated."""


class Control(NamedTuple):
    """A control frame, and where it is.

    Attributes:
        opcode: Close, Ping or Pong.
        payload: What it holds.
        begin: Its first byte, counted from the first byte of the piece in which it
            ended; negative where it began in an earlier one.
        end: The byte behind its last one.
    """

    opcode: Opcode
    payload: bytes
    begin: int
    end: int


class Scanner:
    """Walks all that a server sends, piece by piece, from its response on."""

    __slots__ = ("_in_response", "_over", "_skip", "_tail")

    def __init__(self) -> None:
        self._in_response = True
        self._over = False
        self._skip = 0  # bytes of a data frame that are still to come
        self._tail = b""  # what the last piece had of a header or a control frame

    def stop(self) -> None:
        """Find nothing more."""
        self._over = True
        self._tail = b""

    def walk(self, piece: bytes | memoryview) -> Sequence[Control]:
        """Walk the next piece of the stream.

        Returns:
            The control frames that end in it, in order. Nothing follows a Close.
        """
        if self._over:
            return ()
        begin = -len(self._tail)
        # One copy of a few KiB: an index into `bytes` is cheaper than into a view.
        data = self._tail + bytes(piece)
        at = self._behind_response(data) if self._in_response else self._skip
        found: list[Control] = []
        if not self._in_response:
            at = self._behind_data(data, at)
            while control := self._control(data, at):
                opcode, payload, start, end = control
                found.append(Control(opcode, payload, begin + start, begin + end))
                at = self._behind_data(data, end)
        self._skip = max(0, at - len(data))
        self._tail = b"" if self._over else data[at:]
        return found

    def _behind_response(self, data: bytes) -> int:
        """Where the first frame begins; no line of the response is empty."""
        at = data.find(_END_OF_RESPONSE)
        if at < 0:
            return max(0, len(data) - len(_END_OF_RESPONSE) + 1)
        self._in_response = False
        return at + len(_END_OF_RESPONSE)

    def _behind_data(self, data: bytes, at: int) -> int:
        """Where the next frame begins that is no data frame, or is cut in its header.

        Runs once for each frame that is ever received: every step here counts.
        """
        last, control, longer = len(data) - 1, _CONTROL, _LENGTH_16
        while at < last:
            length = data[at + 1]
            if data[at] & control:
                break
            if length < longer:
                at += 2 + length
            elif length > _LENGTH_64:
                self._over = True
                break
            else:
                header = 4 if length == _LENGTH_16 else 10
                if at + header > len(data):
                    break
                at += header + int.from_bytes(data[at + 2 : at + header], "big")
        return at

    def _control(self, data: bytes, at: int) -> Control | None:
        """The control frame that begins here, if one does and all of it is here."""
        if self._over or at + 1 >= len(data) or not data[at] & _CONTROL:
            return None
        end = at + 2 + data[at + 1]
        opcode = _FIRST.get(data[at])
        if opcode is None or data[at + 1] > _MAX_CONTROL:
            self._over = True
            return None
        if end > len(data):
            return None
        self._over = opcode is Opcode.CLOSE
        return Control(opcode, data[at + 2 : end], at, end)
