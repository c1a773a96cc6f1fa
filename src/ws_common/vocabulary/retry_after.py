"""Parses the header `Retry-After` (RFC 9110 section 10.2.3)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

# ASCII digits only, because `float()` would take other scripts, signs and exponents
# too. The count is bounded, because 400 digits would become infinity.
_SECONDS = re.compile(r"[0-9]{1,12}")


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait.

    Args:
        headers: The headers of the response, with names in lower case.

    Returns:
        The seconds, 0 for a date in the past, or None if the header is absent or not
        valid.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    until = _parse_date(value)
    if until is None:
        return None
    # The date is compared with the server's own, because our clock may be wrong.
    now = _parse_date(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _parse_date(value: str) -> datetime | None:
    if not value:
        return None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - seldom needed

    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    # The obsolete format of `asctime()` names no zone, but HTTP dates are always in UTC
    # (RFC 9110 section 5.6.7).
    return date if date.tzinfo else date.replace(tzinfo=UTC)
