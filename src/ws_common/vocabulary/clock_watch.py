"""Notices that time has passed while the program could not run.

A program does not notice time that passes while the laptop sleeps or the tab is frozen.
While a machine sleeps its monotonic clock stands still and its wall clock runs; the
timers of a frozen page fire late. In both cases more wall time has passed between two
checks than should have.
"""

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

from ws_common.vocabulary.clock import JUMP_THRESHOLD, Clock, ExpectedTime

# Short enough to notice a sleep of the machine long before a heartbeat of 20 seconds
# would, long enough to cost nothing: one timer per loop, however many clients it has.
CHECK_INTERVAL = 5.0
"""Seconds between two checks of the clock."""

OnJump = Callable[[float], None]
"""Called with the seconds that passed unnoticed."""


class ClockWatch:
    """Checks the clock while at least one callback is registered.

    All clients of a loop share one watch.

    Args:
        clock: The clock to check.
        slack: Additional seconds by which a check may be late, for platforms that
            throttle timers.
    """

    __slots__ = ("_clock", "_slack", "_timer", "_watchers")

    def __init__(self, clock: Clock, slack: float = 0.0) -> None:
        self._clock = clock
        self._slack = slack
        self._watchers: set[OnJump] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, on_jump: OnJump) -> None:
        """Register a callback for jumps of the clock. Idempotent."""
        self._watchers.add(on_jump)
        if self._timer is None:
            self._schedule_check()

    def stop(self, on_jump: OnJump) -> None:
        """Unregister a callback; the last one stops the timer. Idempotent."""
        self._watchers.discard(on_jump)
        if self._timer is not None and not self._watchers:
            self._timer.cancel()
            self._timer = None

    def _schedule_check(self) -> None:
        due_time = ExpectedTime.after(CHECK_INTERVAL, self._clock)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(CHECK_INTERVAL, self._check, due_time)

    def _check(self, due_time: ExpectedTime) -> None:
        lateness = due_time.lateness(self._clock)
        # The next check is scheduled first: a callback that raises must not end the
        # watch for every other client, and one that calls `stop()` must cancel this
        # timer.
        self._schedule_check()
        if lateness > JUMP_THRESHOLD + self._slack:
            # A copy, because a callback may close its client, which unregisters it.
            for on_jump in tuple(self._watchers):
                on_jump(lateness)


# Weak keys: a loop that was closed is collected together with its watch.
_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, ClockWatch] = WeakKeyDictionary()


def get_clock_watch(clock: Clock, slack: float) -> ClockWatch:
    """Return the watch that all clients of the running loop share.

    Args:
        clock: The clock to check, if this is the first client of the loop.
        slack: Likewise; the values are the same for every client of a platform.
    """
    loop = asyncio.get_running_loop()
    return _watches.setdefault(loop, ClockWatch(clock, slack))
