"""Messages that come in more than one frame (RFC 6455 section 5.4)."""

from websockets.frames import Frame, Opcode

from ws_common.messages import Data


class Fragments:
    """Puts one message together; made when its first fragment arrives.

    The payload grows in one buffer, so that memory is bounded by `max_size` (which
    the library checks) however many fragments there are, and empty ones cost nothing.
    """

    __slots__ = ("_payload", "_text")

    def __init__(self, first: Frame) -> None:
        self._text = first.opcode is Opcode.TEXT
        self._payload = bytearray(first.data)

    def __len__(self) -> int:
        """Bytes of payload so far."""
        return len(self._payload)

    def add(self, data: bytes | bytearray | memoryview) -> None:
        """Append the payload of a continuation frame."""
        self._payload += data

    def message(self) -> Data:
        """Return the whole message.

        Raises:
            UnicodeDecodeError: It is text, and not UTF-8.
        """
        return self._payload.decode() if self._text else bytes(self._payload)
