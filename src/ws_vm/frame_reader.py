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

from enum import Enum
from sys import maxsize
from typing import cast

from websockets.client import ClientProtocol
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.protocol import OPEN

from ws_common.vocabulary.errors import clear_tracebacks
from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.transport import CloseInfo
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
from ws_vm.large_message import MAX_LARGE, MIN_LARGE, NO_LARGE, LargeMessage

MAX_INPUT = 64 * 1024
"""Bytes of what was read that one batch is made of, at most, and bytes of payload
behind which it ends."""

MAX_MESSAGES = 1024
"""In a batch: as many as a subscriber's buffer takes before it asks for a pause, by
default. Without it, 64 KiB could bring 32,768 empty messages."""

_MAX_DEFLATED = 4 * 1024
"""Bytes that the library inflates at a time: they become 4 MB at most."""

_TEXT, _CONT = Opcode.TEXT, Opcode.CONT
_CLOSE, _PING, _PONG = Opcode.CLOSE, Opcode.PING, Opcode.PONG


class Progress(Enum):
    """Why a batch has ended."""

    DRY = "what is left is the beginning of a frame, or nothing"
    FULL = "there may be more in what was read"
    OVER = "a Close came, or the connection failed: what follows is discarded"


class FrameReader:
    """Reads the frames of one connection.

    Args:
        library: The library's protocol, its opening handshake done.
        max_size: Bytes of a message, at most; None: no limit.

    Attributes:
        messages: The batch that is being made. Whoever takes it leaves an empty one.
        size: Bytes of payload in it.
        progress: Why it has ended.
        pongs: The payloads of Pongs that came, until somebody clears it.
        close: What the peer's Close said, or the failure that we have found.
        large: The large message that is being received; the socket may read into it.
    """

    __slots__ = (
        "_fragmented",
        "_fragments",
        "_library",
        "_max_size",
        "_max_slice",
        "_max_small",
        "_opcode",
        "_passing",
        "close",
        "large",
        "messages",
        "pongs",
        "progress",
        "size",
    )

    _fragments: bytearray
    """The payload so far of a message in fragments. It grows in one buffer, so that
    memory is bounded by `max_size` (which the library checks) however many fragments
    there are, and empty ones cost nothing."""

    _opcode: Opcode
    """What kind of message these are of."""

    def __init__(self, library: ClientProtocol, max_size: int | None) -> None:
        self._library = library
        self._max_size = maxsize if max_size is None else max_size
        self._max_small = min(LENGTH_16, self._max_size + 1)
        self._max_slice = _MAX_DEFLATED if library.extensions else MAX_INPUT
        self._fragmented = 0  # not 0 behind a fragment that is not the last
        self._passing = 0  # bytes of a frame that the library has begun to get
        self.large = NO_LARGE
        self.messages: list[Data] = []
        self.pongs: list[bytes] = []
        self.size = 0
        self.progress: Progress = Progress.DRY
        self.close: CloseInfo | None = None

    @property
    def unfinished(self) -> int:
        """Bytes to come of a frame whose first bytes are not with the caller."""
        return self._passing or len(self.large.room)

    def read(self, data: bytes, at: int) -> int:
        """Make the next batch of what was read, from `at` on.

        Args:
            data: The bytes; none where they went into the large message.
            at: Where the batch before has ended.

        Returns:
            Where it ends. `progress` says what that means.
        """
        self.size, self.progress = 0, Progress.DRY
        last = min(len(data), at + MAX_INPUT)
        try:
            if self.large is not NO_LARGE:
                if data:
                    at = self.large.fill(data, at)
                self._end_large()
            while at < len(data) and self.progress is Progress.DRY:
                before = at
                if self._passing:
                    at = self._pass(data, at, at + self._passing)
                else:
                    if not self._fragmented:
                        at = self._read_plain(data, at, last)
                    if at < len(data):
                        at = self._read_other(data, at)
                if at == before:
                    break
        except UnicodeDecodeError as error:
            self._fail(error, was_open=self._library.state is OPEN)
        return at

    def how_it_ended(self, error: BaseException | None = None) -> CloseInfo:
        """What to report of the end: our Close, a failure found here, or the peer.

        A failure that we have found comes first, because the wire may say something
        else later, or nothing: a peer that just hangs up after our complaint leaves a
        1006 there. Else the frames that went and came say it, and their order.

        Args:
            error: What the network reported.
        """
        if self.close is not None and not self.close.was_clean:
            return self.close
        library = self._library
        close = library.close_rcvd
        if close is not None:
            return CloseInfo(
                code=int(close.code),
                reason=close.reason,
                was_clean=True,
                initiator="peer" if library.close_rcvd_then_sent else "local",
                error=error,
            )
        error = error or library.parser_exc
        if error is not None:
            clear_tracebacks(error)
        return CloseInfo(
            code=CloseCode.ABNORMAL_CLOSURE.value,
            initiator="network" if library.close_sent is None else "local",
            error=error,
        )

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

    def _read_other(self, data: bytes, at: int) -> int:
        """Take what is not for the loop above; return where it ends."""
        if self.size >= MAX_INPUT or len(self.messages) >= MAX_MESSAGES:
            self.progress = Progress.FULL
            return at
        begin, end = frame_bounds(data, at)
        if not self._is_plain(data, at, end - begin):
            return self._pass_run(data, at)
        is_complete = end <= len(data)
        if not begin or (not is_complete and end - begin < MIN_LARGE):
            return at
        if is_complete and self.messages:  # beyond the limit: a batch by itself
            self.progress = Progress.FULL
            return at
        self.large = LargeMessage(end - begin, text=data[at] == TEXT)
        at = self.large.fill(data, begin)
        self._end_large()
        return at

    def _is_plain(self, data: bytes, at: int, size: int) -> bool:
        """Whether this frame is a message by itself, which the library need not see."""
        return (
            not self._fragmented
            and (data[at] == TEXT or data[at] == BINARY)
            and (at + 1 == len(data) or data[at + 1] < MASKED)
            and size <= min(self._max_size, MAX_LARGE)
        )

    def _end_large(self) -> None:
        """Add the large message to the batch, if it is complete."""
        large = self.large
        if not large.room:
            self.large = NO_LARGE
            self.messages.append(large.message())
            self.size += large.size

    def _pass_run(self, data: bytes, at: int) -> int:
        """Hand a run of frames to the library; return where it ends."""
        start, last = at, min(len(data), at + self._max_slice)
        for _ in range(MAX_MESSAGES - len(self.messages)):
            if at + 2 > last:
                break
            first = data[at]
            begin, end = frame_bounds(data, at)
            if data[at + 1] >= MASKED or end - begin > self._max_size:
                return self._pass(data, start, len(data))  # which fails it
            if not begin or (at > start and self._is_plain(data, at, end - begin)):
                break
            if not first & CONTROL:
                self._fragmented = ~first & FIN
            at = end
            if first & OPCODE == _CLOSE:
                break
        return self._pass(data, start, at) if at > start else at

    def _pass(self, data: bytes, at: int, end: int) -> int:
        """Hand bytes of frames to the library, as many as it may inflate at once."""
        stop = min(end, len(data), at + self._max_slice)
        self._passing = end - stop
        library = self._library
        was_open = library.state is OPEN
        library.receive_data(data[at:stop])
        try:
            for event in library.events_received():
                self._take(cast("Frame", event))
            failure = library.parser_exc
        except UnicodeDecodeError as error:
            failure = error
        if failure is not None:
            self._fail(failure, was_open=was_open)
        return stop

    def _take(self, frame: Frame) -> None:
        """Take a frame that the library has parsed."""
        opcode, data = frame.opcode, frame.data
        if opcode is _PONG:
            self.pongs.append(bytes(data))
        elif opcode is _CLOSE:
            self.progress = Progress.OVER
            self.close = self.how_it_ended()
        elif opcode is not _PING:  # which the library has answered
            if opcode is _CONT:
                self._fragments += data
                if frame.fin:
                    opcode, data = self._opcode, self._fragments
                    del self._fragments
            elif not frame.fin:
                self._opcode, self._fragments = opcode, bytearray(data)
            if frame.fin:
                is_text = opcode is _TEXT
                self.messages.append(str(data, "utf-8") if is_text else bytes(data))
                self.size += len(data)

    def _fail(self, error: Exception, *, was_open: bool) -> None:
        """Keep why the connection fails; the library has failed it, or does so now.

        Text has to be UTF-8 (RFC 6455 section 8.1). The library may have seen a Close
        or another fault behind this text already.
        """
        self.progress = Progress.OVER
        close = self._library.close_sent
        if isinstance(error, UnicodeDecodeError):
            reason = f"{error.reason} at position {error.start}"
            close = Close(CloseCode.INVALID_DATA, reason)
            self._library.fail(close.code, close.reason)
        if was_open and close is not None:  # else it is not the cause: ours was first
            clear_tracebacks(error)
            self.close = CloseInfo(
                code=int(close.code),
                reason=close.reason,
                initiator="local",
                error=error,
            )
