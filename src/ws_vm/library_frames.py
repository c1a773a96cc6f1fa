"""The frames that the library parses: all that are not a whole plain message.

Theory of operation. The caller knows where frames begin and end; here runs of them are
handed to the library, and what it hands up joins the batch that is being made. It
checks every rule of RFC 6455 and RFC 7692 that a frame may break, inflates, answers
Pings and the peer's Close, and limits the size of messages. Its Sans-I/O layer hands
up frames, so that the assembly of fragments and UTF-8 are ours.
"""

from enum import Enum
from typing import Final, cast

from websockets.client import ClientProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN

from ws_common.messages import Data
from ws_common.transport import CloseInfo
from ws_vm.close_info import of_failure, of_wire
from ws_vm.fragments import Fragments
from ws_vm.frame_scanner import FIN, OPCODE

MAX_INPUT = 64 * 1024
"""Bytes of what was read that one batch is made of, at most, and bytes of payload
behind which it ends."""

_MAX_DEFLATED = 4 * 1024
"""Bytes that the library inflates at a time: they become 4 MB at most."""

NO_MESSAGES: Final[list[Data]] = []
NO_PONGS: Final[list[bytes]] = []
"""What all connections share that have none. Nothing is ever added to them."""

_TEXT, _BINARY, _CONT = Opcode.TEXT, Opcode.BINARY, Opcode.CONT
_PONG, _CLOSE = Opcode.PONG, Opcode.CLOSE


class Progress(Enum):
    """Why a batch has ended."""

    DRY = "what is left is the beginning of a frame, or nothing"
    FULL = "there may be more in what was read"
    OVER = "a Close came, or the connection failed: what follows is discarded"


class LibraryFrames:
    """What the library makes of the frames of one connection.

    Args:
        library: The library's protocol, its opening handshake done.

    Attributes:
        messages: The batch that is being made. Whoever takes it leaves an empty one:
            nothing is kept alive by the connection.
        size: Bytes of payload in it.
        progress: Why it has ended.
        pongs: The payloads of Pongs that came.
        close: What the peer's Close said, or the failure that we have found.
    """

    __slots__ = (
        "_fragmented",
        "_fragments",
        "_library",
        "_max_slice",
        "_passing",
        "close",
        "messages",
        "pongs",
        "progress",
        "size",
    )

    _fragments: Fragments

    def __init__(self, library: ClientProtocol) -> None:
        self._library = library
        self._max_slice = _MAX_DEFLATED if library.extensions else MAX_INPUT
        self._fragmented = 0  # the opcode of the message whose fragments are coming
        self._passing = 0  # bytes of a frame that the library has begun to get
        self.messages: list[Data] = NO_MESSAGES
        self.pongs: list[bytes] = NO_PONGS
        self.size = 0
        self.progress: Progress = Progress.DRY
        self.close: CloseInfo | None = None

    def _track_fragments(self, first: int) -> None:
        """Keep whether a message is in fragments, by the first byte of a frame."""
        opcode = first & OPCODE
        if opcode in {_TEXT, _BINARY}:
            self._fragmented = 0 if first & FIN else opcode
        elif opcode == _CONT and first & FIN:
            self._fragmented = 0

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
        except UnicodeDecodeError as error:
            self._fail_text(error, was_open=was_open)
        else:
            if (failure := library.parser_exc) is not None:
                self._fail(failure, was_open=was_open)
        return stop

    def _take(self, frame: Frame) -> None:
        """Take a frame that the library has parsed."""
        opcode, data = frame.opcode, frame.data
        if opcode is _TEXT or opcode is _BINARY:
            if not frame.fin:
                self._fragments = Fragments(frame)
                return
            self.messages.append(str(data, "utf-8") if opcode is _TEXT else bytes(data))
            self.size += len(data)
        elif opcode is _CONT:
            self._fragments.add(data)
            if frame.fin:
                fragments = self._fragments
                del self._fragments
                self.messages.append(fragments.message())
                self.size += len(fragments)
        elif opcode is _PONG:
            if self.pongs:
                self.pongs.append(bytes(data))
            else:
                self.pongs = [bytes(data)]
        elif opcode is _CLOSE:
            self.progress = Progress.OVER
            self.close = of_wire(self._library)

    def _fail(self, error: Exception, *, was_open: bool) -> None:
        """Keep why the library has failed the connection."""
        self.progress = Progress.OVER
        sent = self._library.close_sent
        if was_open and sent is not None:  # else it is not the cause: ours was first
            self.close = of_failure(sent.code, sent.reason, error)

    def _fail_text(self, error: UnicodeDecodeError, *, was_open: bool) -> None:
        """Fail the connection: text has to be UTF-8 (RFC 6455 section 8.1).

        The library may have seen a Close or another fault behind this text already.
        """
        self.progress = Progress.OVER
        reason = f"{error.reason} at position {error.start}"
        self._library.fail(CloseCode.INVALID_DATA, reason)
        if was_open:
            self.close = of_failure(CloseCode.INVALID_DATA, reason, error)
