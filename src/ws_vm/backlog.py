"""What the socket has handed over and the library has not parsed."""

from collections.abc import Sequence

from websockets.frames import Opcode

from ws_vm.scan import Control, Scanner

_NOTHING = memoryview(b"")


class Backlog:
    """Bytes as they came; the scanner sees each of them once.

    It walks what is taken just before the library parses it, which finds nothing
    that the library will not: only so does it know, when what is left here is to be
    looked through, where a frame begins.
    """

    __slots__ = ("_data", "_scanner", "_seen")

    def __init__(self) -> None:
        self._data = _NOTHING
        self._scanner = Scanner()
        self._seen = 0  # how much of `_data` the scanner has walked

    def __len__(self) -> int:
        return len(self._data)

    def add(self, data: bytes) -> None:
        """Append what one read has brought."""
        self._data = memoryview(b"".join((self._data, data)) if self._data else data)

    def take(self, size: int) -> memoryview:
        """Take so many bytes, or what there is, from the front."""
        some, self._data = self._data[:size], self._data[size:]
        self._scanner.walk(some[self._seen :])
        self._seen = max(0, self._seen - size)
        return some

    def look(self) -> Sequence[Control]:
        """Find the control frames that nobody has seen yet.

        Pings and Pongs are taken out (they may stand between any two frames), so
        that the library does not answer them a second time. One whose first bytes
        the library has already stays; a second Pong does no harm (RFC 6455 section
        5.5.3).
        """
        seen = self._seen
        found = self._scanner.walk(self._data[seen:])
        kept, at = list[memoryview](), 0
        for opcode, _, begin, end in found:
            if seen + begin >= 0 and opcode is not Opcode.CLOSE:
                kept.append(self._data[at : seen + begin])
                at = seen + end
        if at:
            self._data = memoryview(b"".join((*kept, self._data[at:])))
        self._seen = len(self._data)
        return found

    def clear(self) -> None:
        """Forget everything. What comes later is not looked through."""
        self._data = _NOTHING
        self._seen = 0
        self._scanner.stop()
