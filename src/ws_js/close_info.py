"""How a connection ended, as far as a browser shows it."""

from enum import Enum
from typing import Final

from ws_common.vocabulary.status_codes import WebSocketStatusCode
from ws_common.vocabulary.transport import CloseInfo

TOO_BIG: Final = 4009
"""Sent after a message over `max_size`: a page may not send 1009."""

ABNORMAL: Final = WebSocketStatusCode.ABNORMAL_CLOSURE.value


class LocalRequest(Enum):
    """What the browser was asked for last: it does not tell whose Close it was."""

    NOTHING = "nothing"
    CLOSE = "close"
    ABORT = "abort"


def too_big_failure(size: int, max_size: int | None) -> CloseInfo:
    """Describe why we close because of a message that is too big."""
    words = f"a message of {size} bytes came, and max_size is {max_size}"
    return CloseInfo(
        code=TOO_BIG, reason=words, initiator="local", error=ValueError(words)
    )


def close_info(
    code: int,
    reason: str,
    *,
    was_clean: bool,
    local_request: LocalRequest,
    failure: CloseInfo | None,
) -> CloseInfo:
    """Describe the end of a connection."""
    if failure is not None:
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
    is_by_peer = code != ABNORMAL
    return CloseInfo(
        code=code,
        reason=reason,
        was_clean=was_clean,
        initiator="peer" if is_by_peer else "network",
    )
