"""From the bytes of the peer to batches of messages.

Theory of operation. `read()` walks what one read of the socket has brought. It looks
at every header itself and so knows every boundary, also across reads, and it lets two
parsers alternate:

- *Plain* frames, which are a whole message each (FIN set, no RSV bit, text or binary,
  not masked, within `max_size`), are taken in one tight loop, a run at a time.
- Everything else goes to the library as exactly the bytes of whole frames, in runs:
  control frames, fragments, compressed frames, and whatever breaks the protocol. It
  checks every rule of RFC 6455 and RFC 7692 that a frame may break, inflates, answers
  Pings and the peer's Close, and limits the size of messages. Its Sans-I/O layer hands
  up frames, so that the assembly of fragments and UTF-8 are ours. What comes of them
  joins the batch, so that the order of messages is kept.

A header that is not complete, and a small plain frame that is not, stay with the
caller, who hands them in again in front of the next read. A larger plain frame gets
memory of its own (`ws_vm.large_message`). The library is given the rest of its frame
as it comes. It also decides what is wrong: it is handed a masked frame as soon as the
second byte shows it, and one above `max_size` with its header.

A batch ends when it is full, so that a pause can take effect: one read may bring very
much. Deflate makes a thousandth of some messages, so that 64 KiB may be 64 MB.
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
"""In a batch: as many as a subscriber's buffer takes before it asks for a pause, by
default. Without it, 64 KiB could bring 32,768 empty messages."""

_CLOSE = Opcode.CLOSE


class FrameReader(FrameParser):
    """Reads the frames of one connection.

    Args:
        library: The library's protocol, its opening handshake done.
        max_size: Bytes of a message, at most; None: no limit.

    Attributes:
        large: The large message that is being received; the socket may read into it.
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
        self._in_fragments = 0  # not 0 behind a fragment that is not the last
        self.large = NO_LARGE_MESSAGE

    @property
    def missing_bytes(self) -> int:
        """Bytes to come of a frame whose first bytes are not with the caller."""
        return self._library_missing or len(self.large.unfilled)

    def read(self, data: bytes, at: int) -> int:
        """Make the next batch of what was read, from `at` on.

        Args:
            data: The bytes; none where they went into the large message.
            at: Where the batch before has ended.

        Returns:
            Where it ends. `batch_end` says what that means.
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
        """Take complete plain frames, up to `last`.

        Runs once for each message that is ever received: every step here counts.
        """
        add, size = self.messages.append, 0
        small, largest = self._max_small, self._max_size
        try:
            for _ in range(MAX_MESSAGES - len(self.messages)):
                length = data[at + 1]
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
                first = data[at]
                if first == TEXT:
                    add(data[begin:end].decode())
                elif first == BINARY:
                    add(data[begin:end])
                else:
                    break
                at = end
                size += length
        except IndexError:
            pass  # the header is cut off
        finally:
            self.size += size
        return at

    def _read_other_frame(self, data: bytes, at: int) -> int:
        """Take what is not for the loop above; return where it ends."""
        if self.size >= MAX_INPUT or len(self.messages) >= MAX_MESSAGES:
            self.batch_end = BatchEnd.FULL
            return at
        begin, end = frame_bounds(data, at)
        if not self._is_plain(data, at, end - begin):
            return self._feed_run(data, at)
        is_complete = end <= len(data)
        if not begin or (not is_complete and end - begin < MIN_LARGE):
            return at
        if is_complete and self.messages:  # beyond the limit: a batch by itself
            self.batch_end = BatchEnd.FULL
            return at
        self.large = LargeMessage(end - begin, text=data[at] == TEXT)
        at = self.large.fill(data, begin)
        self._finish_large()
        return at

    def _is_plain(self, data: bytes, at: int, size: int) -> bool:
        """Whether this frame is a message by itself, which the library need not see."""
        return (
            not self._in_fragments
            and (data[at] == TEXT or data[at] == BINARY)
            and (at + 1 == len(data) or data[at + 1] < MASKED)
            and size <= min(self._max_size, MAX_LARGE)
        )

    def _finish_large(self) -> None:
        """Add the large message to the batch, if it is complete."""
        large = self.large
        if not large.unfilled:
            self.large = NO_LARGE_MESSAGE
            self.messages.append(large.message())
            self.size += large.size

    def _feed_run(self, data: bytes, at: int) -> int:
        """Hand a run of frames to the library; return where it ends."""
        start, last = at, min(len(data), at + self._max_feed)
        for _ in range(MAX_MESSAGES - len(self.messages)):
            if at + 2 > last:
                break
            first = data[at]
            begin, end = frame_bounds(data, at)
            if data[at + 1] >= MASKED or end - begin > self._max_size:
                return self._feed(data, start, len(data))  # which fails it
            if not begin or (at > start and self._is_plain(data, at, end - begin)):
                break
            if not first & CONTROL:
                self._in_fragments = ~first & FIN
            at = end
            if first & OPCODE == _CLOSE:
                break
        return self._feed(data, start, at) if at > start else at
