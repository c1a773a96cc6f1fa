"""How long to wait before the next attempt: exponential backoff with full jitter.

Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog. The
upper end starts at `min * factor`, so that the very first retry is jittered too.
"""

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ws_common.vocabulary.durations import Seconds, seconds, to_seconds
from ws_common.vocabulary.errors import WSError

RETRY_AFTER_CAP = 300.0
"""Seconds: the longest `Retry-After` that is honoured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryContext:
    """What `retry_if` is told.

    Attributes:
        attempt: How many attempts in a row have failed, this one included.
        elapsed: Seconds since the connection was lost, or `connect()` was called.
        ever_connected: Whether there has been a stable connection to this URL.
        error: Why; carries the close code, the HTTP status, Retry-After.
        default: What would be decided without you.

    Example:
        Wait longer for a server that is overloaded, and leave the rest to the default:

        >>> def retry_if(context: RetryContext) -> float | None:
        ...     status = getattr(context.error, "status", None)
        ...     return 60.0 if status == 503 else None
        >>> interval = ConnectionRetryInterval(max_attempts=10, retry_if=retry_if)
    """

    attempt: int
    elapsed: float
    ever_connected: bool
    error: WSError
    default: bool


RetryIf = Callable[[RetryContext], bool | float | None]


@dataclass(frozen=True, slots=True)
class ConnectionRetryInterval:
    """Exponential backoff with full jitter.

    Before retry n (0, 1, 2, …) of a run of failures the delay is drawn from
    uniform(min, min(max, min * factor**(n + 1))).

    Attributes:
        min: Seconds, above 0: no delay is shorter.
        max: Seconds: no delay is longer, but for what a server asks for itself
            with `Retry-After` (at most 5 minutes), which is added in front.
        factor: What the upper end grows by with every failure.
        max_attempts: Failed attempts in a row before giving up; None: never.
        min_uptime: Seconds that a connection must live to end a run of failures.
            One that lived shorter counts as a failed attempt.
        retry_if: Your decision. True: retry after the drawn delay; False: stop; a
            number, 0 too: retry after that many seconds, whatever `min` and `max`
            say; None: the default decision. `max_attempts` holds in any case.

    Example:
        >>> interval = ConnectionRetryInterval(min=0.5, max=30)
        >>> 0.5 <= interval.draw(0) <= 1.0
        True
    """

    min: Seconds = 0.5
    max: Seconds = 15.0
    factor: float = 2.0
    max_attempts: int | None = None
    min_uptime: Seconds = 5.0
    retry_if: RetryIf | None = None

    def __post_init__(self) -> None:
        """Validate, and store durations as `float` seconds."""
        name = "connection_retry_interval"
        for part in ("min", "max", "min_uptime"):
            given, zero = getattr(self, part), part == "min_uptime"
            value = to_seconds(given, f"{name}.{part}", allow_zero=zero)
            object.__setattr__(self, part, value)
        low, high = seconds(self.min), seconds(self.max)
        if high < low:
            raise ValueError(
                f"{name}.max ({high:g} s) must not be below min ({low:g} s)"
            )
        factor = self.factor
        number = isinstance(factor, int | float) and not isinstance(factor, bool)
        if not number or not 1 <= factor <= sys.float_info.max:
            raise ValueError(f"{name}.factor must be 1 or more, not {factor!r}")
        attempts = self.max_attempts
        if attempts is not None and (type(attempts) is not int or attempts < 1):
            raise ValueError(
                f"{name}.max_attempts must be 1 or more, or None, not {attempts!r}"
            )
        if self.retry_if is not None and not callable(self.retry_if):
            raise TypeError(f"{name}.retry_if must be callable, not {self.retry_if!r}")

    def upper(self, retry: int) -> float:
        """The upper end of the draw before retry n (0, 1, 2, …), in seconds."""
        low, high = seconds(self.min), seconds(self.max)
        try:
            return min(high, low * float(self.factor) ** (retry + 1))
        except OverflowError:  # after days of failures
            return high

    def draw(
        self, retry: int, *, spread: bool = False, rng: random.Random | None = None
    ) -> float:
        """Draw the delay before retry n (0, 1, 2, …), in seconds.

        Args:
            retry: How many retries of this run of failures came before.
            spread: Draw from the whole of [min, max] at once: a server that is
                restarting or overloaded has everybody coming back together.
            rng: Where the randomness comes from.
        """
        upper = seconds(self.max) if spread else self.upper(retry)
        return (rng or SYSTEM_RANDOM).uniform(seconds(self.min), upper)


SYSTEM_RANDOM: Final = random.SystemRandom()
"""Where jitter comes from: the system, or processes forked off one would draw alike."""
