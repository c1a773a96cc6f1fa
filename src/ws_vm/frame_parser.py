"""Parses frames with the library, and assembles messages from them.

The library checks every rule of RFC 6455 and RFC 7692 that a frame may break. It
inflates messages, answers Pings and the peer's Close, and limits the size of messages.
Its Sans-I/O layer returns frames, not messages. Therefore this module assembles
fragments, and checks that text is UTF-8.
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
"""The most bytes of input that one batch is made of. A batch also ends as soon as its
payload has as many bytes."""

_MAX_DEFLATED = 4 * 1024
"""Bytes that the library inflates at a time. Deflate expands at most 1,032 times, so
that they become 4 MB at most before the size of the batch is looked at again."""

_TEXT, _CONT = Opcode.TEXT, Opcode.CONT
_CLOSE, _PING, _PONG = Opcode.CLOSE, Opcode.PING, Opcode.PONG


class BatchEnd(Enum):
    """Why a batch has ended."""

    NEED_DATA = "the rest of the data is the beginning of a frame, or empty"
    FULL = "the batch is full; the rest of the data may contain more messages"
    CLOSED = "a Close was received or the connection failed; the rest is discarded"


class FrameParser:
    """Parses frames of one connection, and adds their messages to a batch.

    This is the base class of `FrameReader` and not an attribute of it, because both
    write to the same batch, and one more call for each read would be measurable.

    Args:
        library: The library's protocol, after its opening handshake.

    Attributes:
        messages: The current batch. Whoever takes it has to leave an empty list.
        size: The payload of the batch in bytes.
        batch_end: Why the batch has ended.
        pongs: The payloads of the Pongs that were received. The caller clears it.
        close: What the peer's Close says, or how the connection was failed here.
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
    """The payload of the fragments that were received so far.

    There is one buffer and not a list of fragments. So memory is bounded by `max_size`,
    which the library checks, and a million empty fragments cost nothing.
    """

    _opcode: Opcode
    """The opcode of the first fragment: whether the message is text or binary."""

    def __init__(self, library: ClientProtocol) -> None:
        self._library = library
        self._max_feed = _MAX_DEFLATED if library.extensions else MAX_INPUT
        # How many bytes the library still needs of the frame that it has begun.
        self._library_missing = 0
        self.messages: list[Data] = []
        self.pongs: list[bytes] = []
        self.size = 0
        self.batch_end: BatchEnd = BatchEnd.NEED_DATA
        self.close: CloseInfo | None = None

    def close_info(self, error: BaseException | None = None) -> CloseInfo:
        """Return how the connection has ended, or is ending.

        Args:
            error: The error that the network reported, if any.
        """
        # A failure that was found here takes precedence over what the library knows.
        # Most peers drop TCP without a Close after we have failed the connection, and
        # the library would report 1006.
        if self.close is not None and not self.close.was_clean:
            return self.close
        return close_info_of(self._library, error)

    def _feed(self, data: bytes, at: int, end: int) -> int:
        """Pass bytes of frames to the library, as many as it may inflate at once.

        Args:
            data: What the socket has read.
            at: The offset of the first byte to pass.
            end: The offset at which the last frame ends; it may be beyond the data.

        Returns:
            The offset of the first byte that was not passed.
        """
        stop = min(end, len(data), at + self._max_feed)
        self._library_missing = end - stop
        library = self._library
        # The state before: after a fault it is CLOSING, as if we had sent a Close.
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
        """Handle a frame that the library has parsed."""
        opcode, data = frame.opcode, frame.data
        if opcode is _PONG:
            self.pongs.append(bytes(data))
        elif opcode is _CLOSE:
            self.batch_end = BatchEnd.CLOSED
            self.close = self.close_info()
        elif opcode is not _PING:  # the library has answered a Ping already
            if opcode is _CONT:
                self._fragments += data
                # The library has checked that a first fragment came before.
                if frame.fin:
                    opcode, data = self._opcode, self._fragments
                    del self._fragments
            elif not frame.fin:
                self._opcode, self._fragments = opcode, bytearray(data)
            if frame.fin:
                is_text = opcode is _TEXT
                # UTF-8 is checked here and not for each fragment, because a character
                # may be split between two of them (RFC 6455 section 5.6).
                self.messages.append(str(data, "utf-8") if is_text else bytes(data))
                self.size += len(data)

    def _fail(self, error: Exception, *, was_open: bool) -> None:
        """Fail the connection, and remember why.

        Args:
            error: What is wrong with the frames.
            was_open: Whether neither side had begun to close before.
        """
        self.batch_end = BatchEnd.CLOSED
        close = fail_connection(self._library, error, was_open=was_open)
        self.close = close or self.close
