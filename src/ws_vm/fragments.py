"""Messages that come in more than one frame."""

from websockets.frames import Frame, Opcode

from ws_common.messages import Data


class Fragments:
    """Puts one message together.

    The payload grows in one buffer, so that memory is bounded by `max_size` (which
    the library checks) however many fragments there are, and empty ones cost nothing.
    """

    __slots__ = ("_payload", "_text")

    def __init__(self) -> None:
        self._payload = bytearray()
        self._text = False

    def add(self, frame: Frame) -> tuple[Data, int] | None:
        """Take the next data frame.

        Returns:
            The message and its size in bytes, once it is whole.

        Raises:
            UnicodeDecodeError: It is text, and not UTF-8.
        """
        if frame.opcode is not Opcode.CONT:
            self._text = frame.opcode is Opcode.TEXT
        self._payload += frame.data
        if not frame.fin:
            return None
        payload, self._payload = self._payload, bytearray()
        return (payload.decode() if self._text else bytes(payload)), len(payload)
