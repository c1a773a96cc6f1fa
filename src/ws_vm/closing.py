"""Why a connection ends: our close(), a failure that we found, the peer, the network.

The wire may say something else, or nothing: a peer that just hangs up after our
complaint leaves a 1006 there. The first cause stays.
"""

from websockets.client import ClientProtocol
from websockets.frames import CloseCode

from ws_common.errors import WSConnectionClosedError, forget_frames
from ws_common.transport import CloseInfo


class Ending:
    """What is known about the end of one connection.

    Attributes:
        asked: Whether our side has begun the closing handshake.
    """

    __slots__ = ("_failure", "_protocol", "asked")

    def __init__(self, protocol: ClientProtocol) -> None:
        self._protocol = protocol
        self._failure: CloseInfo | None = None
        self.asked = False

    def of_peer(self) -> CloseInfo | None:
        """The peer's Close frame, which the library has answered, or which answers."""
        return None if self._protocol.close_rcvd is None else self.info()

    def of_parser(self) -> CloseInfo | None:
        """Why the library has failed the connection, if it just did.

        That the stream ended without a Close frame is nothing that we decided.
        """
        error, sent = self._protocol.parser_exc, self._protocol.close_sent
        if sent is None or error is None or isinstance(error, EOFError):
            return None
        return self._fail(int(sent.code), sent.reason, error)

    def of_text(self, error: UnicodeDecodeError) -> CloseInfo | None:
        """That a text message was not UTF-8.

        Where the parser has found fault with what came behind it, that was first,
        and may not have been told yet.
        """
        reason = f"{error.reason} at position {error.start}"
        return self._fail(CloseCode.INVALID_DATA, reason, error) or self._failure

    def _fail(self, code: int, reason: str, error: Exception) -> CloseInfo | None:
        if self.asked or self._failure is not None:
            return None
        forget_frames(error)
        self._failure = CloseInfo(
            code=int(code), reason=reason, initiator="local", error=error
        )
        return self._failure

    def info(self, error: BaseException | None = None) -> CloseInfo:
        """How it ended, as far as is known.

        Args:
            error: What the network reported.
        """
        if self._failure is not None:
            return self._failure
        close = self._protocol.close_rcvd
        if close is None:
            error = error or self._protocol.parser_exc
            if error is not None:
                forget_frames(error)
            return CloseInfo(
                code=CloseCode.ABNORMAL_CLOSURE.value,
                initiator="local" if self.asked else "network",
                error=error,
            )
        return CloseInfo(
            code=int(close.code),
            reason=close.reason,
            was_clean=True,
            initiator="local" if self.asked else "peer",
            error=error,
        )

    def error(self) -> WSConnectionClosedError:
        """What to raise where nothing can be sent any more."""
        info = self.info()
        return WSConnectionClosedError(
            close_code=info.code, close_reason=info.reason, was_clean=info.was_clean
        )
