"""The retry decision: whether and when the next attempt is made.

`final_errors.py` says which errors are final; the option `retry_if` may decide
otherwise, and `max_attempts` bounds both.
"""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from ws_common.lifecycle.failure_streak import FailureStreak
from ws_common.lifecycle.final_errors import is_final, is_refusal
from ws_common.options.backoff import (
    RETRY_AFTER_CAP,
    ConnectionRetryInterval,
    RetryContext,
)
from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.errors import WSError, WSRetriesExhaustedError

RESTART_CODES = frozenset({1012, 1013})
"""Service Restart and Try Again Later: all clients of the server come back at once."""


class Retry(NamedTuple):
    """Make another attempt.

    Attributes:
        streak: The failure streak, this failure included.
        error: Why the last attempt failed or the connection was lost.
        delay: Seconds until the attempt.
        at: The time of the attempt, UTC.
    """

    streak: FailureStreak
    error: WSError
    delay: float
    at: datetime


class Stop(NamedTuple):
    """Make no further attempt.

    Attributes:
        streak: The failure streak, this failure included.
        error: What ended the attempts; the state `Closed` shows it.
    """

    streak: FailureStreak
    error: WSError


RetryDecision = Retry | Stop


class RetryDecider:
    """Decides whether one client retries, and remembers what the decision needs.

    Args:
        interval: When to retry; None if the client does not retry.
        rng: The source of the jitter.
        clock: Tells the time.
        on_fault: Called with the error where `retry_if` raised or returned nonsense.

    Attributes:
        last_error: Why the last attempt failed or the connection was lost. Providers
            get it with the next attempt.
    """

    __slots__ = ("_clock", "_interval", "_on_fault", "_rng", "_since", "last_error")

    def __init__(
        self,
        interval: ConnectionRetryInterval | None,
        rng: Random,
        clock: Clock,
        on_fault: Callable[[Exception], None],
    ) -> None:
        self._interval = interval
        self._rng = rng
        self._clock = clock
        self._on_fault = on_fault
        self._since = 0.0
        self.last_error: WSError | None = None

    def start_timing(self) -> None:
        """Start to measure `RetryContext.elapsed`: a connection is missing now."""
        self._since = self._clock.monotonic()

    def decide(
        self,
        error: WSError,
        streak: FailureStreak,
        *,
        stable: bool,
        connected_before: bool,
        has_provider: bool,
    ) -> RetryDecision:
        """Decide what follows a failure. `decide_retry()` explains the arguments."""
        self.last_error = error
        return decide_retry(
            error,
            streak,
            self._interval,
            self._rng,
            self._on_fault,
            stable=stable,
            connected_before=connected_before,
            elapsed=self._clock.monotonic() - self._since,
            now=self._clock.now(),
            has_provider=has_provider,
        )


def decide_retry(
    error: WSError,
    streak: FailureStreak,
    interval: ConnectionRetryInterval | None,
    rng: Random,
    on_fault: Callable[[Exception], None],
    *,
    stable: bool,
    connected_before: bool,
    elapsed: float,
    now: datetime,
    has_provider: bool,
) -> RetryDecision:
    """Decide what follows a failure.

    Args:
        error: Why the attempt failed or the connection was lost.
        streak: The failure streak before this failure.
        interval: When to retry; None if the client does not retry.
        rng: The source of the jitter.
        on_fault: Called with the error where `retry_if` raised or returned nonsense.
            The default decision holds then.
        stable: Whether this is the loss of a stable connection.
        connected_before: Whether a connection to this URL has ever been stable.
        elapsed: Seconds since the connection was lost or `connect()` was called.
        now: The time, UTC.
        has_provider: Whether the URL or the headers come from a provider.
    """
    streak = streak.after_failure(
        refused=is_refusal(error),
        attempt=not stable,
        spread=getattr(error, "close_code", None) in RESTART_CODES,
    )
    if interval is None:
        return Stop(streak=streak, error=error)
    final = is_final(
        error, streak, connected_before=connected_before, has_provider=has_provider
    )
    context = RetryContext(
        attempt=streak.failures,
        elapsed=elapsed,
        ever_connected=connected_before,
        error=error,
        default=not final,
    )
    # `retry_if` is asked before `max_attempts` is looked at, so that it sees the last
    # failure as well, and cannot be used to go beyond the limit.
    answer = _call_retry_if(context, interval, on_fault)
    if answer is False:
        return Stop(streak=streak, error=error)
    if interval.max_attempts is not None and streak.failures >= interval.max_attempts:
        return Stop(
            streak=streak,
            error=_make_exhausted_error(error, streak.failures),
        )
    # A number from `retry_if` is the delay as it is: the application knows better than
    # the backoff, and a `Retry-After` header is in the error that it was shown.
    delay = answer if answer is not True else _draw_delay(error, streak, interval, rng)
    at = _add_seconds(now, delay)
    return Retry(streak=streak, error=error, delay=delay, at=at)


def _add_seconds(now: datetime, delay: float) -> datetime:
    """Return the time after a delay in seconds, or the latest possible date."""
    # A `min` or a number from `retry_if` of 1e12 seconds is valid: the retry is only
    # a very long time away, and must not end the client with an OverflowError.
    try:
        return now + timedelta(seconds=delay)
    except OverflowError:
        return datetime.max.replace(tzinfo=now.tzinfo)


def _call_retry_if(
    context: RetryContext,
    interval: ConnectionRetryInterval,
    on_fault: Callable[[Exception], None],
) -> bool | float:
    """Return the answer of `retry_if`, or the default decision.

    Returns:
        False to stop, True to retry after a drawn delay, or the delay in seconds.
    """
    if interval.retry_if is None:
        return context.default
    try:
        answer = interval.retry_if(context)
    except Exception as error:  # noqa: BLE001 - user code: reported, not fatal
        on_fault(error)
        return context.default
    if answer is None:
        return context.default
    if isinstance(answer, bool):  # before numbers are looked at: a bool is an int
        return answer
    # The bound refuses NaN and infinity, and integers that no float can hold.
    if isinstance(answer, int | float) and 0 <= answer <= sys.float_info.max:
        return float(answer)
    on_fault(
        TypeError(f"retry_if must return True, False, seconds or None: {answer!r}")
    )
    return context.default


def _draw_delay(
    error: WSError,
    streak: FailureStreak,
    interval: ConnectionRetryInterval,
    rng: Random,
) -> float:
    # `Retry-After` (RFC 9110, section 10.2.3) is added in front of the drawn delay and
    # does not replace it: a server gives the same value to all its clients, which would
    # come back at the same moment. It is capped, or a proxy could stop a client for
    # days. A negative value must not shorten the drawn delay.
    retry_after = getattr(error, "retry_after", None) or 0.0
    delay = interval.draw(streak.retries, spread=streak.spread, rng=rng)
    return delay + min(max(retry_after, 0.0), RETRY_AFTER_CAP)


def _make_exhausted_error(error: WSError, attempts: int) -> WSRetriesExhaustedError:
    plural = "attempt" if attempts == 1 else "attempts"
    exhausted = WSRetriesExhaustedError(
        f"gave up after {attempts} failed {plural} in a row; the last: {error}",
        attempts=attempts,
    )
    exhausted.__cause__ = error
    return exhausted
