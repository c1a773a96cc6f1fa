"""A message that is longer than what one read brings, received into its own memory.

Theory of operation. Once the header of a large plain frame is known, the socket reads
straight into the memory of its message.

A binary message is received into the `bytes` object that it will be, so that the
kernel's copy is the only one. `BytesIO` makes this possible: it keeps its contents in
such an object, shows them as a writable buffer, and `getvalue()` returns this very
object where its size is right (CPython; elsewhere the same code makes one copy).

A text message is received into a spare buffer of its thread and decoded from there.
Two fresh blocks of a megabyte for each message, one for the bytes and one for the text,
were measured to take three times as long: the allocator gives the memory back to the
operating system each time, and the kernel has to zero it anew.
"""

import threading
from io import BytesIO

from ws_common.vocabulary.messages import Data

MIN_LARGE = 16 * 1024
"""Bytes from which an incomplete frame is worth memory of its own. What is smaller
waits for the next read, and is copied once more."""

MAX_LARGE = 64 * 2**20
"""Bytes that are reserved at a peer's word; what is larger grows in the library. The
memory is zeroed lazily by the operating system: announcing much costs little."""

_MAX_SPARE = 4 * 2**20
"""Bytes that a thread keeps for its next large text message."""


class _SpareBuffer(threading.local):
    """The buffer of a thread that no message is using."""

    def __init__(self) -> None:
        self.buffer = bytearray()


_spare = _SpareBuffer()


class _MessageMemory(BytesIO):
    """What a binary message is received into; memory alone, there is nothing to close.

    The collector closes one that it finds, and `BytesIO` refuses while its buffer is
    looked at. From Python 3.13 on that is printed as an exception that was ignored: of
    each connection that is dropped with a message half received.
    """

    def close(self) -> None:
        """Leave it as it is."""


class LargeMessage:
    """The payload of one frame, while it is received.

    Args:
        size: Bytes of it.
        text: Whether it is UTF-8.

    Attributes:
        size: The same.
        unfilled: What is still to be filled; shortened by whoever fills it.
    """

    __slots__ = ("_memory", "size", "unfilled")

    _memory: _MessageMemory | bytearray

    def __init__(self, size: int, *, text: bool) -> None:
        self.size = size
        if text:
            buffer, _spare.buffer = _spare.buffer, bytearray()
            self._memory = buffer if len(buffer) >= size else bytearray(size)
            self.unfilled = memoryview(self._memory)[:size]
        else:
            self._memory = _MessageMemory(bytes(size))
            self.unfilled = self._memory.getbuffer()

    def fill(self, data: bytes, at: int) -> int:
        """Copy what has been read already; return where the rest of `data` begins."""
        count = min(len(self.unfilled), len(data) - at)
        self.unfilled[:count] = memoryview(data)[at : at + count]
        self.unfilled = self.unfilled[count:]
        return at + count

    def message(self) -> Data:
        """Return the whole message.

        Raises:
            UnicodeDecodeError: It is text, and not UTF-8.
        """
        memory, self.unfilled = self._memory, memoryview(b"")
        if isinstance(memory, _MessageMemory):
            return memory.getvalue()
        if len(memory) <= _MAX_SPARE:
            _spare.buffer = memory
        return str(memoryview(memory)[: self.size], "utf-8")


NO_LARGE_MESSAGE = LargeMessage(0, text=False)
"""What is being received where no large message is: nothing of it is missing."""
