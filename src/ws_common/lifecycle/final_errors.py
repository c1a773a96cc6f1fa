"""Which errors are final: another attempt would fail in the same way.

An error is final if its cause cannot change by itself: a refusal by HTTP status or by
close code, a certificate that cannot be verified, an invalid URL. There are two
exceptions. Once a connection to this URL has been stable, a status or a code may come
from a deploy or an expired token, so it is final only the third time in a row. The
same holds for refused credentials if a provider makes new ones for each attempt.
"""

from ws_common.lifecycle.failure_streak import FailureStreak
from ws_common.options.backoff import ConnectionRetryInterval
from ws_common.vocabulary.errors import (
    WSConnectionClosedError,
    WSError,
    WSHandshakeError,
    WSInvalidUrlError,
    WSRetriesExhaustedError,
    WSUnsupportedError,
)
from ws_common.vocabulary.status_codes import describe

# RFC 6455, section 7.4.1, and the IANA registry for 3000 (Unauthorized) and 3003
# (Forbidden). Peers that retry these hammer the server: `async for ws in connect()`
# of websockets made 4,649 handshakes in 3 s against a server that accepts and then
# closes with 1008. 1000 and 1001 are not in the list: a server that closes properly,
# for a restart or for a timeout of its own, is expected back.
FINAL_CODES = frozenset({1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003})
"""Close codes with which a server would answer the same client again."""

# RFC 9110, section 15.5.9; RFC 8470, section 5.2; RFC 6585, section 4.
TRANSIENT_STATUSES = frozenset({408, 425, 429})
"""The HTTP 4xx that are retried: Request Timeout, Too Early, Too Many Requests."""

CREDENTIAL_REFUSALS = frozenset({401, 403, 3000, 3003})
"""The HTTP statuses and close codes that new credentials may avoid."""

MAX_REFUSALS = 3
"""The number of refusals in a row that are final where a retry may be accepted."""


def is_refusal(error: WSError) -> bool:
    """Return whether the server refused, by HTTP status or by close code."""
    if isinstance(error, WSHandshakeError) and error.status is not None:
        return 400 <= error.status < 500 and error.status not in TRANSIENT_STATUSES  # noqa: PLR2004
    if isinstance(error, WSConnectionClosedError):
        return error.close_code in FINAL_CODES
    return False


def is_permanent(error: WSError) -> bool:
    """Return whether no server can help: the URL, the certificate, the platform."""
    if isinstance(error, WSHandshakeError):
        return error.permanent
    return isinstance(error, WSInvalidUrlError | WSUnsupportedError)


def explain_final(error: WSError, interval: ConnectionRetryInterval | None) -> str:
    """Return why no attempt follows this error, in words that fit after `since`.

    Args:
        error: What ended the attempts.
        interval: When to retry; None if the client does not retry.
    """
    if interval is None:
        return "`connection_retry_interval` is None"
    if isinstance(error, WSRetriesExhaustedError):
        return f"`max_attempts` is {interval.max_attempts}"
    if is_refusal(error):
        status = getattr(error, "status", None)
        code = status or describe(getattr(error, "close_code", None))
        return f"{code} is not retried: see `retry_if`"
    if is_permanent(error):
        return "this does not get better by itself: see `retry_if`"
    return "`retry_if` said so"


def is_final(
    error: WSError, streak: FailureStreak, *, connected_before: bool, has_provider: bool
) -> bool:
    """Return whether the default is to make no further attempt after this error.

    Args:
        error: Why the attempt failed or the connection was lost.
        streak: The failure streak, this failure included.
        connected_before: Whether a connection to this URL has ever been stable.
        has_provider: Whether the URL or the headers come from a provider.
    """
    codes = {getattr(error, "status", None), getattr(error, "close_code", None)}
    may_change = (
        connected_before
        # A browser hides the status of a failed handshake (WHATWG WebSockets, "fail
        # the WebSocket connection"). `diagnose` asks again with `fetch`, but what a
        # server answers to that need not be what it answered to the handshake.
        or getattr(error, "status_is_inferred", False)
        or (has_provider and not CREDENTIAL_REFUSALS.isdisjoint(codes))
    )
    is_certain = not may_change or streak.refusals >= MAX_REFUSALS
    return is_permanent(error) or (is_refusal(error) and is_certain)
