"""Frames that the library parses, and the messages that are assembled of them.

The library checks every rule of RFC 6455 and RFC 7692 that a frame may break, inflates,
answers Pings and the peer's Close, and limits the size of messages. Its Sans-I/O layer
hands up frames, so that the assembly of fragments and UTF-8 are ours.
"""

from enum import Enum
from typing import cast

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN

from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.transport import CloseInfo
from ws_vm.close_info import close_info_of, fail_connection

MAX_INPUT = 64 * 1024
"""Bytes of what was read that one batch is made of, at most, and bytes of payload
behind which it ends."""

_MAX_DEFLATED = 4 * 1024
"""Bytes that the library inflates at a time: they become 4 MB at most."""

_TEXT, _CONT = Opcode.TEXT, Opcode.CONT
_CLOSE, _PING, _PONG = Opcode.CLOSE, Opcode.PING, Opcode.PONG


class BatchEnd(Enum):
    """Why a batch has ended."""

    NEED_DATA = "what is left is the beginning of a frame, or nothing"
    FULL = "there may be more in what was read"
    CLOSED = "a Close came, or the connection failed: what follows is discarded"


class FrameParser:
    """Parses frames of one connection, and makes a batch of messages.

    Args:
        library: The library's protocol, its opening handshake done.

    Attributes:
        messages: The batch that is being made. Whoever takes it leaves an empty one.
        size: Bytes of payload in it.
        batch_end: Why it has ended.
        pongs: The payloads of Pongs that came, until somebody clears it.
        close: What the peer's Close said, or the failure that we have found.
    """

    __slots__ = (
        "_fragments",
        "_library",
        "_library_missing",
        "_max_feed",
        "_opcode",
        "batch_end",
        "close",
        "messages",
        "pongs",
        "size",
    )

    _fragments: bytearray
    """The payload so far of a message in fragments. It grows in one buffer, so that
    memory is bounded by `max_size` (which the library checks) however many fragments
    there are, and empty ones cost nothing."""

    _opcode: Opcode
    """What kind of message these are of."""

    def __init__(self, library: ClientProtocol) -> None:
        self._library = library
        self._max_feed = _MAX_DEFLATED if library.extensions else MAX_INPUT
        self._library_missing = 0  # bytes of a frame that the library has begun to get
        self.messages: list[Data] = []
        self.pongs: list[bytes] = []
        self.size = 0
        self.batch_end: BatchEnd = BatchEnd.NEED_DATA
        self.close: CloseInfo | None = None

    def close_info(self, error: BaseException | None = None) -> CloseInfo:
        """What to report of the end: our Close, a failure found here, or the peer.

        A failure that we have found comes first, because the wire may say something
        else later, or nothing: a peer that just hangs up after our complaint leaves a
        1006 there. Else the frames that went and came say it, and their order.

        Args:
            error: What the network reported.
        """
        if self.close is not None and not self.close.was_clean:
            return self.close
        return close_info_of(self._library, error)

    def _feed(self, data: bytes, at: int, end: int) -> int:
        """Hand bytes of frames to the library, as many as it may inflate at once."""
        stop = min(end, len(data), at + self._max_feed)
        self._library_missing = end - stop
        library = self._library
        was_open = library.state is OPEN
        library.receive_data(data[at:stop])
        try:
            for event in library.events_received():
                self._handle_frame(cast("Frame", event))
            failure = library.parser_exc
        except UnicodeDecodeError as error:
            failure = error
        if failure is not None:
            self._fail(failure, was_open=was_open)
        return stop

    def _handle_frame(self, frame: Frame) -> None:
        """Take a frame that the library has parsed."""
        opcode, data = frame.opcode, frame.data
        if opcode is _PONG:
            self.pongs.append(bytes(data))
        elif opcode is _CLOSE:
            self.batch_end = BatchEnd.CLOSED
            self.close = self.close_info()
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
        """Keep why the connection fails; the library has failed it, or does so now."""
        self.batch_end = BatchEnd.CLOSED
        close = fail_connection(self._library, error, was_open=was_open)
        self.close = close or self.close
