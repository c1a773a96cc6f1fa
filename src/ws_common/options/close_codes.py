"""Close codes and reasons that a program gives: checked before anything is touched."""

from collections.abc import Callable
from typing import Any, Final

from ws_common.options.platform import Platform
from ws_common.vocabulary.errors import WSError, WSInvalidCloseError
from ws_common.vocabulary.status_codes import (
    MAX_REASON_BYTES,
    WebSocketStatusCode,
    describe,
    is_sendable,
)

_DEFAULT_REASON: Final = WebSocketStatusCode.NORMAL_CLOSURE.name
"""What `disconnect()` and `close()` are called with where no reason is given."""


def check_close(
    code: int | None, reason: str | None, platform: Platform
) -> tuple[int | None, str]:
    """Return what may be sent, or raise.

    Raises:
        WSInvalidCloseError: No peer may send this (RFC 6455 sections 5.5, 7.4).
        WSUnsupportedError: This platform may not send it.
    """
    reason = _check_reason(reason)
    if code is None:
        if reason not in ("", _DEFAULT_REASON):
            raise WSInvalidCloseError(
                f"a reason needs a code in front of it: {reason!r} cannot go alone"
            )
        return None, ""  # the default reason goes with the default code
    if not isinstance(code, int) or isinstance(code, bool):
        raise WSInvalidCloseError(
            f"a close code must be an integer or None, not {code!r}"
        )
    if not is_sendable(code):
        raise WSInvalidCloseError(
            f"close code {describe(code)} may not be sent: use 1000 or 3000 to 4999"
        )
    platform.check_close_code(code)
    return int(code), reason


def make_sendable_close(
    code: int | None,
    reason: str | None,
    platform: Platform,
    report: Callable[..., Any],
) -> tuple[int | None, str]:
    """Return what may be sent: what may not is replaced by 1000, and reported.

    Where no code was to be sent, none is; then only the reason is left out.
    """
    try:
        return check_close(code, reason, platform)
    except WSError as error:
        report("close_code_replaced", code=code, error=error)
        return (None if code is None else 1000), ""


def _check_reason(reason: object) -> str:
    if reason is None:
        return ""
    if not isinstance(reason, str):
        raise WSInvalidCloseError(
            f"a close reason must be a string or None, not {reason!r}"
        )
    try:
        size = len(reason.encode())
    except UnicodeEncodeError as error:
        raise WSInvalidCloseError(
            f"a close reason must be UTF-8: {error.reason}"
        ) from error
    if size > MAX_REASON_BYTES:
        raise WSInvalidCloseError(
            f"a close reason may have {MAX_REASON_BYTES} bytes; this one has {size}"
        )
    return reason
