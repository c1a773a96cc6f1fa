"""How a connection has ended, as far as a browser reveals it.

A browser reports the close code, the reason, and whether there was a closing handshake.
It does not report who began the handshake, so that our own request is remembered here.
"""

from enum import Enum
from typing import Final

from ws_common.vocabulary.status_codes import WebSocketStatusCode
from ws_common.vocabulary.transport import CloseInfo

TOO_BIG: Final = 4009
"""The close code that is sent after a message above `max_size`."""
# RFC 6455 section 7.4.1 has 1009 for that, but a page may only send 1000 and 3000 to
# 4999 (WHATWG WebSockets, `close()`).

ABNORMAL: Final = WebSocketStatusCode.ABNORMAL_CLOSURE.value


class LocalRequest(Enum):
    """What the client has requested of the browser last."""

    NOTHING = "nothing"
    CLOSE = "close"
    ABORT = "abort"


def too_big_failure(size: int, max_size: int | None) -> CloseInfo:
    """Describe the closing after a message that was too big.

    Args:
        size: The bytes of the message.
        max_size: The option that it exceeds.
    """
    reason = f"a message of {size} bytes came, and max_size is {max_size}"
    return CloseInfo(
        code=TOO_BIG, reason=reason, initiator="local", error=ValueError(reason)
    )


def close_info(
    code: int,
    reason: str,
    *,
    was_clean: bool,
    local_request: LocalRequest,
    failure: CloseInfo | None,
) -> CloseInfo:
    """Describe the end of a connection.

    Args:
        code: The close code that the browser reports.
        reason: The reason that the browser reports.
        was_clean: Whether there was a closing handshake.
        local_request: What the client has requested of the browser last.
        failure: Why the client has closed by itself, if it has.
    """
    if failure is not None:
        # If the peer just drops TCP, the browser reports 1006. Our own reason for
        # closing says more than that.
        return CloseInfo(
            code=failure.code,
            reason=failure.reason,
            was_clean=was_clean,
            initiator="local",
            error=failure.error,
        )
    if local_request is LocalRequest.CLOSE:
        return CloseInfo(
            code=code, reason=reason, was_clean=was_clean, initiator="local"
        )
    # RFC 6455 section 7.1.5: 1006 stands for an end without a Close frame. Any other
    # code, 1005 included, was the peer's.
    is_by_peer = code != ABNORMAL
    return CloseInfo(
        code=code,
        reason=reason,
        was_clean=was_clean,
        initiator="peer" if is_by_peer else "network",
    )
