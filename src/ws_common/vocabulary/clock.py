"""What time it is: the one place where the package asks.

Waiting goes by the monotonic clock, which is the event loop's; what people are shown
goes by the wall clock, in UTC. Tests hand in a clock of their own, so that history,
events and delays tell the same story under virtual time.
"""

import asyncio
from datetime import UTC, datetime
from typing import NamedTuple, Self

JUMP_THRESHOLD = 3.0
"""Seconds that a tick may be late before it counts."""


class Clock:
    """The clocks of the loop and of the machine; a test may derive its own."""

    __slots__ = ()

    def monotonic(self) -> float:
        """Seconds by the running event loop's clock, which never goes back."""
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)


class ExpectedTime(NamedTuple):
    """A moment, by the loop's clock and by the wall's.

    Attributes:
        due: Loop time.
        wall_due: The same on the wall, as it looked when the appointment was made.
    """

    due: float
    wall_due: float

    @classmethod
    def after(cls, delay: float, clock: Clock) -> Self:
        """Make one for so many seconds from now."""
        return cls(clock.monotonic() + delay, clock.now().timestamp() + delay)

    def lateness(self, clock: Clock) -> float:
        """Seconds by which it is missed, by the clock that says more of them."""
        late = clock.monotonic() - self.due
        return max(late, clock.now().timestamp() - self.wall_due)
