"""From the bytes of the peer to batches of messages.

Theory of operation. `read()` walks what one read of the socket has brought. It looks
at every header itself and so knows every boundary, also across reads, and it lets two
parsers alternate:

- *Plain* frames, which are a whole message each (FIN set, no RSV bit, text or binary,
  not masked, within `max_size`), are taken in one tight loop, a run at a time.
- Everything else goes to the library as exactly the bytes of whole frames, in runs:
  control frames, fragments, compressed frames, and whatever breaks the protocol. What
  the library makes of it joins the batch, so that the order of messages is kept.

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

from ws_vm.frame_scanner import FIN, LENGTH_16, MASKED, OPCODE, frame_bounds
from ws_vm.large_message import MAX_LARGE, MIN_LARGE, NO_ROOM, LargeMessage
from ws_vm.library_frames import MAX_INPUT, LibraryFrames, Progress

MAX_MESSAGES = 1024
"""In a batch: as many as a subscriber's buffer takes before it asks for a pause, by
default. Without it, 64 KiB could bring 32,768 empty messages."""

_PLAIN_TEXT, _PLAIN_BINARY = FIN | Opcode.TEXT, FIN | Opcode.BINARY


class FrameReader(LibraryFrames):
    """Reads the frames of one connection.

    Args:
        library: The library's protocol, its opening handshake done.
        max_size: Bytes of a message, at most; None: no limit.

    Attributes:
        room: Where the socket may read the rest of a large message to, or nothing.
    """

    __slots__ = ("_large", "_max_size", "_max_small", "room")

    _large: LargeMessage

    def __init__(self, library: ClientProtocol, max_size: int | None) -> None:
        super().__init__(library)
        self._max_size = maxsize if max_size is None else max_size
        self._max_small = min(LENGTH_16, self._max_size + 1)
        self.room = NO_ROOM

    @property
    def unfinished(self) -> int:
        """Bytes to come of a frame whose first bytes are not with the caller."""
        return self._passing or len(self.room)

    def filled(self, count: int) -> None:
        """Take so many bytes that the socket has read into `room`."""
        self.messages, self.size, self.progress = [], 0, Progress.DRY
        self._large.advance(count)
        try:
            self._end_large()
        except UnicodeDecodeError as error:
            self._fail_text(error, was_open=self._library.state is OPEN)

    def read(self, data: bytes, at: int) -> int:
        """Make the next batch of what was read, from `at` on.

        Returns:
            Where it ends. `progress` says what that means.
        """
        self.messages, self.size, self.progress = [], 0, Progress.DRY
        last = min(len(data), at + MAX_INPUT)
        try:
            while at < len(data) and self.progress is Progress.DRY:
                before = at
                at = self._read_some(data, at, last)
                if at == before:
                    break
        except UnicodeDecodeError as error:
            self._fail_text(error, was_open=self._library.state is OPEN)
        return at

    def _read_some(self, data: bytes, at: int, last: int) -> int:
        """Take one run of frames, or the rest of one; return where it ends."""
        if self.room:
            at = self._large.fill(data, at)
            self._end_large()
            return at
        if self._passing:
            return self._pass(data, at, at + self._passing)
        if not self._fragmented:
            at = self._read_plain(data, at, last)
        return self._read_other(data, at) if at < len(data) else at

    def _read_plain(self, data: bytes, at: int, last: int) -> int:
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
                if first == _PLAIN_TEXT:
                    add(data[begin:end].decode())
                elif first == _PLAIN_BINARY:
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

    def _read_other(self, data: bytes, at: int) -> int:
        """Take what is not for the loop above; return where it ends."""
        if self.size >= MAX_INPUT or len(self.messages) >= MAX_MESSAGES:
            self.progress = Progress.FULL
            return at
        begin, end = frame_bounds(data, at)
        if not self._is_plain(data, at, end - begin):
            return self._pass_run(data, at)
        if not begin:
            return at
        if end <= len(data):
            return self._read_long(data, at, begin, end)
        if end - begin < MIN_LARGE:
            return at
        self._large = LargeMessage(end - begin, text=data[at] == _PLAIN_TEXT)
        at = self._large.fill(data, begin)
        self.room = self._large.room
        return at

    def _is_plain(self, data: bytes, at: int, size: int) -> bool:
        """Whether this frame is a message by itself, which the library need not see."""
        return (
            not self._fragmented
            and (data[at] == _PLAIN_TEXT or data[at] == _PLAIN_BINARY)
            and (at + 1 == len(data) or data[at + 1] < MASKED)
            and size <= min(self._max_size, MAX_LARGE)
        )

    def _read_long(self, data: bytes, at: int, begin: int, end: int) -> int:
        """Take a complete frame that is a batch by itself: it is beyond the limit."""
        if self.messages:
            self.progress = Progress.FULL
            return at
        payload = data[begin:end]
        self.messages.append(payload.decode() if data[at] == _PLAIN_TEXT else payload)
        self.size += len(payload)
        return end

    def _end_large(self) -> None:
        """Add the large message to the batch, if it is complete."""
        self.room = self._large.room
        if not self.room:
            large = self._large
            del self._large
            self.messages.append(large.message())
            self.size += large.size

    def _pass_run(self, data: bytes, at: int) -> int:
        """Hand a run of frames to the library; return where it ends."""
        start, last = at, min(len(data), at + self._max_slice)
        for _ in range(MAX_MESSAGES - len(self.messages)):
            if at + 2 > last:
                break
            begin, end = frame_bounds(data, at)
            if data[at + 1] >= MASKED or end - begin > self._max_size:
                return self._pass(data, start, len(data))  # which fails it
            if not begin or (at > start and self._is_plain(data, at, end - begin)):
                break
            self._track_fragments(data[at])
            at = end
            if data[begin - 2] & OPCODE == Opcode.CLOSE:
                break
        return self._pass(data, start, at) if at > start else at
