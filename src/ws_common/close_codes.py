"""Close codes and reasons that a program gives: checked before anything is touched."""

from collections.abc import Callable
from typing import Any

from ws_common.errors import WSError, WSInvalidCloseError
from ws_common.platform import Platform
from ws_common.status_codes import MAX_REASON_BYTES, describe, is_sendable


def check_close(
    code: int | None, reason: str | None, platform: Platform
) -> tuple[int | None, str]:
    """Return what may be sent, or raise.

    Raises:
        WSInvalidCloseError: No peer may send this (RFC 6455 sections 5.5, 7.4).
        WSUnsupportedError: This platform may not send it.
    """
    reason = "" if reason is None else reason
    if code is None:
        # A reason needs a code in front of it; the default one goes with it.
        return None, ""
    if not isinstance(code, int) or isinstance(code, bool):
        msg = f"a close code must be an integer or None, not {code!r}"
        raise WSInvalidCloseError(msg)
    if not is_sendable(code):
        msg = f"close code {describe(code)} may not be sent: use 1000 or 3000 to 4999"
        raise WSInvalidCloseError(msg)
    platform.check_close_code(code)
    return int(code), _check_reason(reason)


def sendable_close(
    code: int | None,
    reason: str | None,
    platform: Platform,
    note: Callable[..., Any],
) -> tuple[int | None, str]:
    """Return what may be sent: what may not is replaced by 1000, and reported."""
    try:
        return check_close(code, reason, platform)
    except WSError as error:
        note("close_code_replaced", code=code, error=error)
        return 1000, ""


def _check_reason(reason: object) -> str:
    if not isinstance(reason, str):
        msg = f"a close reason must be a string or None, not {reason!r}"
        raise WSInvalidCloseError(msg)
    try:
        size = len(reason.encode())
    except UnicodeEncodeError as error:
        msg = f"a close reason must be UTF-8: {error.reason}"
        raise WSInvalidCloseError(msg) from error
    if size > MAX_REASON_BYTES:
        msg = f"a close reason may have {MAX_REASON_BYTES} bytes; this one has {size}"
        raise WSInvalidCloseError(msg)
    return reason
