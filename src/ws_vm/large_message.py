"""Receives a message that is longer than one read into memory of its own.

Theory of operation. Once the header of a large plain frame is known, the socket reads
straight into the memory of its message.

A binary message is received into the `bytes` object that it will be, so the kernel's
copy is the only one. `BytesIO` makes this possible: it keeps its contents in a `bytes`
object, exposes them as a writable buffer, and `getvalue()` returns that very object if
its size is right. This holds for CPython; elsewhere the same code makes one copy more.

A text message is received into a spare buffer of its thread, and decoded from there.
Two new blocks of a megabyte for each message, one for the bytes and one for the text,
were measured to take three times as long: the allocator returns such blocks to the
operating system each time, and the kernel has to zero them again.
"""

import threading
from io import BytesIO

from ws_common.vocabulary.messages import Data

MIN_LARGE = 16 * 1024
"""The size in bytes from which an incomplete frame gets memory of its own. A smaller
one is kept until the next read, which costs one copy more."""

MAX_LARGE = 64 * 2**20
"""The most bytes that are allocated because a peer has announced them.

A larger message grows in the library as it arrives. The operating system zeroes memory
lazily, so a peer that announces much and sends little costs little.
"""

_MAX_SPARE = 4 * 2**20
"""The largest buffer that a thread keeps for its next large text message, in bytes."""


class _SpareBuffer(threading.local):
    """The buffer of a thread, while no message uses it."""

    def __init__(self) -> None:
        self.buffer = bytearray()


_spare = _SpareBuffer()


class _MessageMemory(BytesIO):
    """The memory of a binary message."""

    def close(self) -> None:
        """Do nothing: there is only memory, and it is freed with the object."""
        # The garbage collector calls close() on a connection that is dropped in the
        # middle of a message. BytesIO raises BufferError then, as `unfilled` is a view
        # of its buffer. Since Python 3.13 that is printed as "Exception ignored in".


class LargeMessage:
    """The payload of one frame while it is received.

    Args:
        size: The length of the payload in bytes.
        text: Whether the message is text.

    Attributes:
        size: The length of the payload in bytes.
        unfilled: The memory that is still to be filled. Whoever fills it shortens it.
    """

    __slots__ = ("_memory", "size", "unfilled")

    _memory: _MessageMemory | bytearray

    def __init__(self, size: int, *, text: bool) -> None:
        self.size = size
        if text:
            # The spare buffer is taken away while this message uses it: another
            # connection of the thread may begin a large message before this one ends.
            buffer, _spare.buffer = _spare.buffer, bytearray()
            self._memory = buffer if len(buffer) >= size else bytearray(size)
            self.unfilled = memoryview(self._memory)[:size]
        else:
            self._memory = _MessageMemory(bytes(size))
            self.unfilled = self._memory.getbuffer()

    def fill(self, data: bytes, at: int) -> int:
        """Copy data that has been read already.

        Args:
            data: What the socket has read.
            at: The offset of the first byte to copy.

        Returns:
            The offset of the first byte that does not belong to this message.
        """
        count = min(len(self.unfilled), len(data) - at)
        self.unfilled[:count] = memoryview(data)[at : at + count]
        self.unfilled = self.unfilled[count:]
        return at + count

    def message(self) -> Data:
        """Return the message, after all of it was received.

        Raises:
            UnicodeDecodeError: The message is text, but not UTF-8.
        """
        # The view is released first: getvalue() would copy while it exists.
        memory, self.unfilled = self._memory, memoryview(b"")
        if isinstance(memory, _MessageMemory):
            return memory.getvalue()
        if len(memory) <= _MAX_SPARE:
            _spare.buffer = memory
        return str(memoryview(memory)[: self.size], "utf-8")


NO_LARGE_MESSAGE = LargeMessage(0, text=False)
"""Stands for no message. Nothing is left to fill, so a read need not test for None."""
