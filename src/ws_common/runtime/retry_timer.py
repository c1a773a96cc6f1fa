"""The wait for the next attempt: a timer that can be held, and cut short.

While there is a reason to hold it (no network, a page in the back/forward cache), its
end is put off. Where something says that now is the time, what is left of it shrinks
to a little jitter: everybody in the building comes back online at the same moment.

A browser tells that a page is shown again a moment before it tells that the sockets
of the page are gone. So the good news is remembered for the wait that begins within
`RELEASE_MEMORY` seconds of it, once.
"""

import asyncio
from collections.abc import Callable
from random import Random

from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.environment_events import Hold
from ws_common.vocabulary.timers import Timer, call_later

JITTER = 0.5
"""Seconds: an attempt follows good news within so long."""

RELEASE_MEMORY = 2.0
"""Seconds for which good news are remembered."""

_NO_HOLDS: frozenset[Hold] = frozenset()


class RetryTimer:
    """At most one wait.

    Args:
        on_due: Called with what `start()` was given, and why the wait is over.
        rng: Where the jitter comes from.

    Attributes:
        holds: Why it does not end.
    """

    __slots__ = (
        "_attempt",
        "_cause",
        "_due",
        "_last_release",
        "_on_due",
        "_rng",
        "_timer",
        "holds",
    )

    def __init__(self, on_due: Callable[[int, Cause], None], rng: Random) -> None:
        self.holds: frozenset[Hold] = _NO_HOLDS
        self._on_due = on_due
        self._rng = rng
        self._attempt: int | None = None
        self._due = 0.0
        self._cause: Cause = "retry_due"
        self._timer: Timer | None = None
        self._last_release: tuple[float, Cause] | None = None

    def start(self, attempt: int, delay: float) -> None:
        """Wait for so many seconds."""
        now = asyncio.get_running_loop().time()
        self._attempt, self._due, self._cause = attempt, now + delay, "retry_due"
        self._set_timer()
        if self._last_release is not None:
            (released_at, cause), self._last_release = self._last_release, None
            if now - released_at < RELEASE_MEMORY:
                self._shorten(cause)

    def stop(self) -> None:
        """Forget it."""
        self._attempt = None
        self._set_timer()

    def hold(self, why: Hold) -> None:
        """Let it not end, for one more reason."""
        self.holds = self.holds.union({why})
        self._last_release = None
        self._set_timer()

    def release(self, why: Hold, cause: Cause) -> None:
        """Forget that reason; where none is left, now is the time."""
        self.holds = self.holds.difference({why})
        if self.holds:
            return
        if self._attempt is None:
            self._last_release = asyncio.get_running_loop().time(), cause
        else:
            self._shorten(cause)

    def fire(self) -> None:
        """End it now, unless it is held."""
        attempt = self._attempt
        if attempt is not None and not self.holds:
            self.stop()
            self._on_due(attempt, self._cause)

    def reset(self) -> None:
        """Forget everything."""
        self.stop()
        self.holds = _NO_HOLDS
        self._last_release = None

    def _shorten(self, cause: Cause) -> None:
        soon = asyncio.get_running_loop().time() + self._rng.uniform(0, JITTER)
        if soon < self._due or self._timer is None:
            self._due, self._cause = soon, cause
        self._set_timer()

    def _set_timer(self) -> None:
        """Set the timer anew: it runs while something waits that is not held."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._attempt is not None and not self.holds:
            # Not `call_at`: Pyodide's loop raises where that is in the past.
            delay = max(0.0, self._due - asyncio.get_running_loop().time())
            self._timer = call_later(delay, self.fire)
