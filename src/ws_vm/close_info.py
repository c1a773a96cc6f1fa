"""Why a connection has ended: what the library knows of it, as a `CloseInfo`."""

from websockets.client import ClientProtocol
from websockets.frames import Close, CloseCode

from ws_common.vocabulary.errors import WSConnectionClosedError, clear_tracebacks
from ws_common.vocabulary.transport import CloseInfo


def close_info_of(
    library: ClientProtocol, error: BaseException | None = None
) -> CloseInfo:
    """Return how the connection has ended, according to the frames sent and received.

    Args:
        library: The library's protocol.
        error: The error that the network reported, if any.
    """
    close = library.close_rcvd
    if close is not None:
        # The closing handshake is complete (RFC 6455 section 7.1.4): the library has
        # answered the peer's Close, or this is the answer to ours. An error of the
        # network that follows, such as a reset, does not change that.
        return CloseInfo(
            code=int(close.code),
            reason=close.reason,
            was_clean=True,
            initiator="peer" if library.close_rcvd_then_sent else "local",
            error=error,
        )
    # The library sees a fault of the stream where the network has reported none, for
    # example a TCP connection that ends in the middle of a frame.
    error = error or library.parser_exc
    if error is not None:
        # The history of a client keeps errors. Their tracebacks would keep the frames
        # alive, and with them the whole connection.
        clear_tracebacks(error)
    # 1006: no Close was received (RFC 6455 section 7.1.5).
    return CloseInfo(
        code=CloseCode.ABNORMAL_CLOSURE.value,
        initiator="network" if library.close_sent is None else "local",
        error=error,
    )


def fail_connection(
    library: ClientProtocol, error: Exception, *, was_open: bool
) -> CloseInfo | None:
    """Fail the connection, unless the library has done so already.

    Args:
        library: The library's protocol.
        error: What is wrong with the frames.
        was_open: Whether neither side had begun to close before.

    Returns:
        Why the connection fails; None if the error is not the cause of the end,
        because a Close was sent before it was found.
    """
    close = library.close_sent
    # Text has to be UTF-8 (RFC 6455 section 8.1). The library does not check that. It
    # may have parsed on, and may have seen a Close or another fault behind the text:
    # the first fault counts, so its `close_sent` is not used in this case.
    if isinstance(error, UnicodeDecodeError):
        reason = f"{error.reason} at position {error.start}"
        close = Close(CloseCode.INVALID_DATA, reason)
        library.fail(close.code, close.reason)
    if not was_open or close is None:
        return None
    clear_tracebacks(error)
    return CloseInfo(
        code=int(close.code),
        reason=close.reason,
        initiator="local",
        error=error,
    )


def closed_error(close: CloseInfo) -> WSConnectionClosedError:
    """Return the error that sending raises on a connection that ended like this."""
    return WSConnectionClosedError(
        close_code=close.code,
        close_reason=close.reason,
        was_clean=close.was_clean,
    )
