"""Notices that time has passed unnoticed: a laptop slept, a tab was frozen.

While a machine sleeps its monotonic clock stands still and its wall clock runs; a
frozen page's timers come late. Either way more wall time has passed between two
ticks than should have.
"""

import asyncio
from collections.abc import Callable
from time import time

TICK = 5.0
"""Seconds between two looks at the clock."""

JUMP = 3.0
"""Seconds that a tick may be late before it counts."""


class ClockWatch:
    """Looks at the clock while it is started.

    Args:
        on_jump: Called with the seconds that passed unnoticed.
    """

    def __init__(self, on_jump: Callable[[float], None]) -> None:
        self._on_jump = on_jump
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
        self._looked_at = time()
        self._timer = asyncio.get_running_loop().call_later(TICK, self._look)

    def _look(self) -> None:
        late = time() - self._looked_at - TICK
        self._tick()
        if late > JUMP:
            self._on_jump(late)
