"""Turns the bytes that the peer sends into batches of messages.

Theory of operation. `FrameReader.read()` is called once for each read of the socket.
It reads every frame header itself, so it knows where each frame ends, even if the
frame is spread over several reads. Depending on the header it uses one of two parsers:

- A *plain* frame is a whole message: FIN is set, no RSV bit is set, the opcode is text
  or binary, it is not masked, and it is within `max_size`. A tight loop decodes plain
  frames without calling any function of ours for a single frame.
- All other frames go to the library, as exactly the bytes of whole frames: control
  frames, fragments, compressed frames, and everything that breaks the protocol
  (`ws_vm.frame_parser`). The messages that result join the same batch, so the order
  of messages is kept.

The caller keeps an incomplete header, and an incomplete plain frame that is small, and
passes these bytes in again before those of the next read. A large plain frame is
received into memory of its own (`ws_vm.large_message`). The library receives the rest
of a frame that it has begun as it arrives. The library also decides what is an error:
it gets a masked frame as soon as the second byte shows the mask, and a frame above
`max_size` as soon as its header is complete.

A batch is bounded, so that a pause can take effect within one read. Deflate can shrink
a message to a thousandth of its size: 64 KiB of input may become 64 MB of messages.
"""

from sys import maxsize

from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.protocol import OPEN

from ws_vm.frame_parser import MAX_INPUT, BatchEnd, FrameParser
from ws_vm.frame_scanner import (
    BINARY,
    CONTROL,
    FIN,
    LENGTH_16,
    MASKED,
    OPCODE,
    TEXT,
    frame_bounds,
)
from ws_vm.large_message import MAX_LARGE, MIN_LARGE, NO_LARGE_MESSAGE, LargeMessage

MAX_MESSAGES = 1024
"""The most messages in a batch. By default a subscriber's buffer asks for a pause at
as many. Without this limit, 64 KiB could contain 32,768 empty messages."""

_CLOSE = Opcode.CLOSE


class FrameReader(FrameParser):
    """Reads the frames of one connection.

    Args:
        library: The library's protocol, after its opening handshake.
        max_size: The largest message that is accepted, in bytes; None for no limit.

    Attributes:
        large: The large message that is being received. The socket may read into it.
    """

    __slots__ = (
        "_in_fragments",
        "_max_size",
        "_max_small",
        "large",
    )

    def __init__(self, library: ClientProtocol, max_size: int | None) -> None:
        super().__init__(library)
        self._max_size = maxsize if max_size is None else max_size
        self._max_small = min(LENGTH_16, self._max_size + 1)
        # The inverted FIN bit of the last data frame: nonzero from the first fragment
        # of a message until its last one.
        self._in_fragments = 0
        self.large = NO_LARGE_MESSAGE

    @property
    def missing_bytes(self) -> int:
        """How many bytes of a frame are missing that the caller does not hold.

        The beginning of that frame is in the library or in the large message.
        """
        return self._library_missing or len(self.large.unfilled)

    def read(self, data: bytes, at: int) -> int:
        """Make the next batch from the data, beginning at `at`.

        Args:
            data: What the socket has read; empty if it has read into the large message.
            at: The offset at which the previous batch ended.

        Returns:
            The offset at which this batch ends. `batch_end` says why it ends there.
        """
        self.size, self.batch_end = 0, BatchEnd.NEED_DATA
        last = min(len(data), at + MAX_INPUT)
        try:
            if self.large is not NO_LARGE_MESSAGE:
                if data:
                    at = self.large.fill(data, at)
                self._finish_large()
            while at < len(data) and self.batch_end is BatchEnd.NEED_DATA:
                before = at
                if self._library_missing:
                    at = self._feed(data, at, at + self._library_missing)
                else:
                    if not self._in_fragments:
                        at = self._read_plain_frames(data, at, last)
                    if at < len(data):
                        at = self._read_other_frame(data, at)
                if at == before:
                    break
        except UnicodeDecodeError as error:
            self._fail(error, was_open=self._library.state is OPEN)
        return at

    def _read_plain_frames(self, data: bytes, at: int, last: int) -> int:
        """Decode complete plain frames that end at or before `last`.

        The loop runs once for each message that is received, so it calls no Python
        function, and attributes are read before it begins.
        """
        add, size = self.messages.append, 0
        small, largest = self._max_small, self._max_size
        try:
            for _ in range(MAX_MESSAGES - len(self.messages)):
                length = data[at + 1]  # a masked frame has a length of 128 and more
                if length < small:
                    begin = at + 2
                elif length == LENGTH_16:
                    length = data[at + 2] << 8 | data[at + 3]
                    if length > largest:
                        break
                    begin = at + 4
                else:
                    break
                end = begin + length
                if end > last:
                    break
                # The first byte is compared as a whole: it is TEXT or BINARY only if
                # FIN is set and no RSV bit is (RFC 6455 section 5.2).
                first = data[at]
                if first == TEXT:
                    # A third cheaper than str(memoryview, "utf-8").
                    add(data[begin:end].decode())
                elif first == BINARY:
                    add(data[begin:end])
                else:
                    break
                at = end
                size += length
        except IndexError:
            # The header is incomplete. Catching this is cheaper than to compare `at`
            # with the length of the data for each frame.
            pass
        finally:
            # Also after a UnicodeDecodeError: the messages before the invalid text
            # are delivered, and only then the connection fails with 1007.
            self.size += size
        return at

    def _read_other_frame(self, data: bytes, at: int) -> int:
        """Read a frame that `_read_plain_frames()` has left, or several.

        Returns:
            The offset at which they end; `at` if more data is needed first, or if
            the batch is full.
        """
        if self.size >= MAX_INPUT or len(self.messages) >= MAX_MESSAGES:
            self.batch_end = BatchEnd.FULL
            return at
        begin, end = frame_bounds(data, at)
        if not self._is_plain(data, at, end - begin):
            return self._feed_run(data, at)
        is_complete = end <= len(data)
        if not begin or (not is_complete and end - begin < MIN_LARGE):
            return at
        # A complete frame that ends beyond MAX_INPUT becomes a batch by itself.
        if is_complete and self.messages:
            self.batch_end = BatchEnd.FULL
            return at
        self.large = LargeMessage(end - begin, text=data[at] == TEXT)
        at = self.large.fill(data, begin)
        self._finish_large()
        return at

    def _is_plain(self, data: bytes, at: int, size: int) -> bool:
        """Return whether this frame is plain, so that the library need not see it.

        Args:
            data: What the socket has read.
            at: The offset of the frame.
            size: The length of its payload in bytes; 0 if it is not known yet.
        """
        return (
            not self._in_fragments
            and (data[at] == TEXT or data[at] == BINARY)
            # The second byte may be missing: then the frame cannot be handed over yet.
            and (at + 1 == len(data) or data[at + 1] < MASKED)
            and size <= min(self._max_size, MAX_LARGE)
        )

    def _finish_large(self) -> None:
        """Add the large message to the batch if it is complete."""
        large = self.large
        if not large.unfilled:
            self.large = NO_LARGE_MESSAGE
            self.messages.append(large.message())
            self.size += large.size

    def _feed_run(self, data: bytes, at: int) -> int:
        """Pass consecutive frames to the library; return the offset at which they end.

        Feeding frames one by one was measured to be slower than the library's own
        asyncio client (0.7 of its messages per second).
        """
        start, last = at, min(len(data), at + self._max_feed)
        for _ in range(MAX_MESSAGES - len(self.messages)):
            if at + 2 > last:
                break
            first = data[at]
            begin, end = frame_bounds(data, at)
            if data[at + 1] >= MASKED or end - begin > self._max_size:
                # The library fails the connection: a server must not mask (RFC 6455
                # section 5.1), and a message must not exceed `max_size` (1009).
                return self._feed(data, start, len(data))
            if not begin or (at > start and self._is_plain(data, at, end - begin)):
                break
            if not first & CONTROL:
                self._in_fragments = ~first & FIN
            at = end
            # What follows a Close is not parsed (RFC 6455 section 1.4).
            if first & OPCODE == _CLOSE:
                break
        return self._feed(data, start, at) if at > start else at
