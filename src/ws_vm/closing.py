"""What ended a connection, as the library's protocol object knows it."""

from websockets.client import ClientProtocol

from ws_common.status_codes import WebSocketStatusCode
from ws_common.transport import CloseInfo


def peer_close(protocol: ClientProtocol) -> CloseInfo:
    """The peer's Close frame, which the library has answered already."""
    close = protocol.close_rcvd
    if close is None:  # cannot be: its frame was just handed to us
        return lost(protocol, asked=False, error=None)
    return CloseInfo(
        code=int(close.code), reason=close.reason, was_clean=True, initiator="peer"
    )


def failure(protocol: ClientProtocol) -> CloseInfo | None:
    """Why the library itself has failed the connection; None where it has not.

    That the stream ended without a Close frame is nothing that we decided.
    """
    error = protocol.parser_exc
    if error is None or isinstance(error, EOFError):
        return None
    sent = protocol.close_sent
    return CloseInfo(
        code=int(sent.code) if sent else WebSocketStatusCode.PROTOCOL_ERROR,
        reason=sent.reason if sent else "",
        initiator="local",
        error=error,
    )


def lost(
    protocol: ClientProtocol, *, asked: bool, error: BaseException | None
) -> CloseInfo:
    """How it ended, now that the socket is gone.

    Args:
        protocol: The connection's protocol object.
        asked: Whether our side began the closing handshake.
        error: What the network reported.
    """
    close = protocol.close_rcvd
    if close is not None:
        return CloseInfo(
            code=int(close.code),
            reason=close.reason,
            was_clean=True,
            initiator="local" if asked else "peer",
            error=error,
        )
    return CloseInfo(
        code=WebSocketStatusCode.ABNORMAL_CLOSURE.value,
        initiator="local" if asked else "network",
        error=error or protocol.parser_exc,
    )
