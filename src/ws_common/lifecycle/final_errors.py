"""Which errors are final: trying again would be answered with the same.

What is final follows from what cannot change by itself: a refusal by HTTP status
or close code, a certificate that does not verify, a URL that is none. But where a
connection to this URL has already been stable, a status or a code may come from a
deploy or an expired token: it is final there only the third time in a row. The same
holds for refused credentials if a provider makes them anew for each attempt.
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

FINAL_CODES = frozenset({1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003})
"""Close codes after which the same again would be answered with the same."""

TRANSIENT_STATUSES = frozenset({408, 425, 429})
"""HTTP 4xx that pass: Request Timeout, Too Early, Too Many Requests."""

CREDENTIAL_REFUSALS = frozenset({401, 403, 3000, 3003})
"""HTTP statuses and close codes that fresh credentials may put right."""

MAX_REFUSALS = 3
"""How many refusals in a row are final where a later attempt may be accepted."""


def is_refusal(error: WSError) -> bool:
    """Whether a server said no, by HTTP status or by close code."""
    if isinstance(error, WSHandshakeError) and error.status is not None:
        return 400 <= error.status < 500 and error.status not in TRANSIENT_STATUSES  # noqa: PLR2004
    if isinstance(error, WSConnectionClosedError):
        return error.close_code in FINAL_CODES
    return False


def is_permanent(error: WSError) -> bool:
    """Whether no server can help: the URL, the certificate, the platform."""
    if isinstance(error, WSHandshakeError):
        return error.permanent
    return isinstance(error, WSInvalidUrlError | WSUnsupportedError)


def explain_final(error: WSError, interval: ConnectionRetryInterval | None) -> str:
    """Say why nothing follows this error, in words that follow `since`."""
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
    """Whether trying again would be answered with the same, as far as can be known."""
    codes = {getattr(error, "status", None), getattr(error, "close_code", None)}
    may_change = (
        connected_before
        or getattr(error, "status_is_inferred", False)
        or (has_provider and not CREDENTIAL_REFUSALS.isdisjoint(codes))
    )
    is_certain = not may_change or streak.refusals >= MAX_REFUSALS
    return is_permanent(error) or (is_refusal(error) and is_certain)
