"""Why a connection has ended, in the terms of the library's protocol and of ours."""

from websockets.client import ClientProtocol
from websockets.frames import Close, CloseCode

from ws_common.vocabulary.errors import WSConnectionClosedError, forget_frames
from ws_common.vocabulary.transport import CloseInfo


def close_info_of(
    library: ClientProtocol, error: BaseException | None = None
) -> CloseInfo:
    """Return what the frames that went and came say of the end, and their order.

    Args:
        library: The library's protocol.
        error: What the network reported.
    """
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
        forget_frames(error)
    return CloseInfo(
        code=CloseCode.ABNORMAL_CLOSURE.value,
        initiator="network" if library.close_sent is None else "local",
        error=error,
    )


def fail_connection(
    library: ClientProtocol, error: Exception, *, was_open: bool
) -> CloseInfo | None:
    """Fail the connection, unless the library has done so; return why it fails.

    Text has to be UTF-8 (RFC 6455 section 8.1). The library may have seen a Close
    or another fault behind this text already.

    Returns:
        None where this is not the cause: our own Close was sent before.
    """
    close = library.close_sent
    if isinstance(error, UnicodeDecodeError):
        reason = f"{error.reason} at position {error.start}"
        close = Close(CloseCode.INVALID_DATA, reason)
        library.fail(close.code, close.reason)
    if not was_open or close is None:
        return None
    forget_frames(error)
    return CloseInfo(
        code=int(close.code),
        reason=close.reason,
        initiator="local",
        error=error,
    )


def closed_error(close: CloseInfo) -> WSConnectionClosedError:
    """Return what to raise where nothing can be sent any more."""
    return WSConnectionClosedError(
        close_code=close.code,
        close_reason=close.reason,
        was_clean=close.was_clean,
    )
