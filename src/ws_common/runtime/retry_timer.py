"""The wait for the next attempt: a timer that can be held and cut short.

While there is a reason to hold it (no network, a page in the back/forward cache), the
timer does not fire. When the last reason is gone, the rest of the wait shrinks to a
little jitter.

A browser reports that a page is shown again a moment before it reports that the
sockets of the page are closed. So a release is remembered for `RELEASE_MEMORY` seconds,
and shortens the next wait that begins within them.
"""

import asyncio
from collections.abc import Callable
from random import Random

from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.environment_events import Hold
from ws_common.vocabulary.timers import Timer, call_later

# All clients of a building come back online in the same moment, and all tabs of a
# browser are resumed together: without jitter their handshakes would arrive together.
JITTER = 0.5
"""An attempt begins within so many seconds after a release."""

RELEASE_MEMORY = 2.0
"""A release shortens a wait that begins within so many seconds after it."""

_NO_HOLDS: frozenset[Hold] = frozenset()


class RetryTimer:
    """The timer of one client. At most one attempt waits for it.

    Args:
        on_due: Called with the id of the attempt, and why the wait is over.
        rng: The source of the jitter.

    Attributes:
        holds: The reasons why the timer does not fire now.
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
        """Start to wait.

        Args:
            attempt: The id that `on_due` is called with.
            delay: Seconds.
        """
        now = asyncio.get_running_loop().time()
        self._attempt, self._due, self._cause = attempt, now + delay, "retry_due"
        self._set_timer()
        if self._last_release is not None:
            # It is used once. A server that closes right after the connection would
            # otherwise be called again without any delay.
            (released_at, cause), self._last_release = self._last_release, None
            if now - released_at < RELEASE_MEMORY:
                self._shorten(cause)

    def stop(self) -> None:
        """Cancel the wait, if there is one. The reasons to hold it stay."""
        self._attempt = None
        self._set_timer()

    def hold(self, why: Hold) -> None:
        """Keep the timer from firing, for one more reason."""
        self.holds = self.holds.union({why})
        self._last_release = None
        self._set_timer()

    def release(self, why: Hold, cause: Cause) -> None:
        """Remove a reason. If none is left, fire soon.

        Args:
            why: The reason that was given to `hold()`.
            cause: The cause of the attempt that follows.
        """
        self.holds = self.holds.difference({why})
        if self.holds:
            return
        if self._attempt is None:
            self._last_release = asyncio.get_running_loop().time(), cause
        else:
            self._shorten(cause)

    def fire(self) -> None:
        """Fire now, unless the timer is held or nothing waits."""
        attempt = self._attempt
        if attempt is not None and not self.holds:
            self.stop()
            self._on_due(attempt, self._cause)

    def reset(self) -> None:
        """Cancel the wait, and forget the reasons to hold it and the last release."""
        self.stop()
        self.holds = _NO_HOLDS
        self._last_release = None

    def _shorten(self, cause: Cause) -> None:
        # A wait that would end sooner anyway is left as it is, and keeps its cause. A
        # wait without a timer was held until now, and its time may be long past.
        soon = asyncio.get_running_loop().time() + self._rng.uniform(0, JITTER)
        if soon < self._due or self._timer is None:
            self._due, self._cause = soon, cause
        self._set_timer()

    def _set_timer(self) -> None:
        """Set the timer again: it runs while an attempt waits and nothing holds it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._attempt is not None and not self.holds:
            # `call_at` would be simpler, but Pyodide's loop raises if the time has
            # passed, as it has when a hold outlasted the wait.
            delay = max(0.0, self._due - asyncio.get_running_loop().time())
            self._timer = call_later(delay, self.fire)
