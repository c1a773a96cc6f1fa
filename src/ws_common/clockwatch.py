"""Notices that time has passed unnoticed: a laptop slept, a tab was frozen.

While a machine sleeps its monotonic clock stands still and its wall clock runs; a
frozen page's timers come late. Either way more wall time has passed between two
ticks than should have.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Self

from ws_common.clock import Clock

TICK = 5.0
"""Seconds between two looks at the clock."""

JUMP = 3.0
"""Seconds that a tick may be late before it counts."""


class Appointment(NamedTuple):
    """A moment, by the loop's clock and by the wall's.

    Attributes:
        due: Loop time.
        wall: The same on the wall, as it looked when the appointment was made.
    """

    due: float
    wall: float

    @classmethod
    def after(cls, delay: float, clock: Clock) -> Self:
        """Make one for so many seconds from now."""
        return cls(clock.monotonic() + delay, clock.now().timestamp() + delay)

    def lateness(self, clock: Clock) -> float:
        """Seconds by which it is missed, by the clock that says more of them."""
        late = clock.monotonic() - self.due
        return max(late, clock.now().timestamp() - self.wall)


class ClockWatch:
    """Looks at the clock while it is started.

    Args:
        on_jump: Called with the seconds that passed unnoticed.
        clock: The wall clock that is looked at.
        slack: Seconds by which a tick may be later than usual.
    """

    __slots__ = ("_clock", "_looked_at", "_on_jump", "_slack", "_timer")

    def __init__(
        self, on_jump: Callable[[float], None], clock: Clock, slack: float = 0.0
    ) -> None:
        self._on_jump = on_jump
        self._clock = clock
        self._slack = slack
        self._timer: asyncio.TimerHandle | None = None
        self._looked_at = 0.0

    def start(self) -> None:
        """Begin, or go on."""
        if self._timer is None:
            self._tick()

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._looked_at = self._clock.now().timestamp()
        self._timer = asyncio.get_running_loop().call_later(TICK, self._look)

    def _look(self) -> None:
        late = self._clock.now().timestamp() - self._looked_at - TICK
        self._tick()
        if late > JUMP + self._slack:
            self._on_jump(late)
