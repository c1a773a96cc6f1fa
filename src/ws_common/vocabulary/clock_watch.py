"""Notices that time has passed while the program could not run.

Time passes unnoticed where a laptop sleeps, or a tab is frozen. While a machine sleeps
its monotonic clock stands still and its wall clock runs; a frozen page's timers come
late. Either way more wall time has passed between two ticks than should have.
"""

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

from ws_common.vocabulary.clock import JUMP_THRESHOLD, Clock, ExpectedTime

CHECK_INTERVAL = 5.0
"""Seconds between two looks at the clock."""

OnJump = Callable[[float], None]


class ClockWatch:
    """Looks at the clock while anybody watches; one serves all clients of a loop.

    Args:
        clock: The wall clock that is looked at.
        slack: Seconds by which a tick may be later than usual.
    """

    __slots__ = ("_clock", "_slack", "_timer", "_watchers")

    def __init__(self, clock: Clock, slack: float = 0.0) -> None:
        self._clock = clock
        self._slack = slack
        self._watchers: set[OnJump] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, on_jump: OnJump) -> None:
        """Call back with the seconds that passed unnoticed. Idempotent."""
        self._watchers.add(on_jump)
        if self._timer is None:
            self._schedule_check()

    def stop(self, on_jump: OnJump) -> None:
        """Call back no more. Idempotent."""
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
        self._schedule_check()
        if lateness > JUMP_THRESHOLD + self._slack:
            for on_jump in tuple(self._watchers):
                on_jump(lateness)


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, ClockWatch] = WeakKeyDictionary()


def get_clock_watch(clock: Clock, slack: float) -> ClockWatch:
    """The one that all clients of the running loop share."""
    loop = asyncio.get_running_loop()
    return _watches.setdefault(loop, ClockWatch(clock, slack))
