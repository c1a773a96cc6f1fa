"""The only place where the package asks for the time.

Delays are measured by the monotonic clock of the event loop; times that people see are
taken from the wall clock, in UTC. Tests pass a clock of their own, so that history,
events and delays agree with each other under virtual time.
"""

import asyncio
from datetime import UTC, datetime
from typing import NamedTuple, Self

# Garbage collection, a blocked loop or a busy machine delay a timer by a second or so.
# A sleeping laptop or a frozen page does so by minutes.
JUMP_THRESHOLD = 3.0
"""Seconds by which a timer may be late before time counts as having jumped."""


class Clock:
    """The clocks of the event loop and of the machine. Tests may derive from it."""

    __slots__ = ()

    def monotonic(self) -> float:
        """Return the time of the running event loop, in seconds; it never goes back."""
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        """Return the date and time of day, in UTC."""
        return datetime.now(UTC)


class ExpectedTime(NamedTuple):
    """The moment at which a timer should fire, by both clocks.

    Attributes:
        due: The moment in loop time.
        wall_due: The same moment as a POSIX timestamp of the wall clock, computed when
            the timer was started.
    """

    due: float
    wall_due: float

    @classmethod
    def after(cls, delay: float, clock: Clock) -> Self:
        """Return the moment that is `delay` seconds from now."""
        return cls(clock.monotonic() + delay, clock.now().timestamp() + delay)

    def lateness(self, clock: Clock) -> float:
        """Return by how many seconds the moment has passed, by the later clock."""
        # Both are needed. While a machine sleeps, Linux and macOS stop the monotonic
        # clock, so only the wall clock shows the gap. If somebody sets the wall clock
        # back, it hides the gap of a frozen page, which the loop time still shows.
        late = clock.monotonic() - self.due
        return max(late, clock.now().timestamp() - self.wall_due)
