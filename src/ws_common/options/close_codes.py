"""Checks of the close codes and reasons that a program passes.

They are made before the connection is touched, so that a call with a bad code or reason
raises and changes nothing.
"""

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
"""The default reason of `disconnect()` and `close()`."""


def check_close(
    code: int | None, reason: str | None, platform: Platform
) -> tuple[int | None, str]:
    """Return the code and the reason to send.

    Args:
        code: The close code; None for a Close frame without a code.
        reason: The close reason; None means an empty one.
        platform: The platform, which may allow fewer codes than the protocol.

    Raises:
        WSInvalidCloseError: No endpoint may send this (RFC 6455 sections 5.5, 7.4).
        WSUnsupportedError: This platform may not send it.
    """
    reason = _check_reason(reason)
    if code is None:
        # The payload of a Close frame begins with the code (RFC 6455 section 5.5.1): a
        # reason without one cannot be encoded. It once was left out in silence.
        if reason not in ("", _DEFAULT_REASON):
            raise WSInvalidCloseError(
                f"a close reason needs a close code, such as 1000: {reason!r} cannot "
                "be sent without one"
            )
        # `close(None)` leaves the reason at its default, which belongs to code 1000.
        return None, ""
    if not isinstance(code, int) or isinstance(code, bool):
        raise WSInvalidCloseError(
            f"a close code must be an integer or None, not {code!r}"
        )
    if not is_sendable(code):
        raise WSInvalidCloseError(
            f"close code {describe(code)} may not be sent: use 1000 or 3000 to 4999"
        )
    platform.check_close_code(code)
    return int(code), reason  # a member of an enumeration becomes a plain number


def make_sendable_close(
    code: int | None,
    reason: str | None,
    platform: Platform,
    report: Callable[..., Any],
) -> tuple[int | None, str]:
    """Return a code and a reason that may be sent, and report what was replaced.

    An invalid code or reason is replaced by the code 1000 without a reason. If the code
    is None, it stays None, and only the reason is dropped.

    Args:
        code: The close code; None for a Close frame without a code.
        reason: The close reason; None means an empty one.
        platform: The platform, which may allow fewer codes than the protocol.
        report: Called with the event `close_code_replaced` and its details.
    """
    # For `close()`, which must free every resource whatever it is called with.

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
        # The limit counts bytes of UTF-8, not characters.
        size = len(reason.encode())
    except UnicodeEncodeError as error:
        raise WSInvalidCloseError(
            f"a close reason must be UTF-8: {error.reason}"
        ) from error
    if size > MAX_REASON_BYTES:
        raise WSInvalidCloseError(
            f"a close reason may have {MAX_REASON_BYTES} bytes of UTF-8; this one has "
            f"{size}"
        )
    return reason
