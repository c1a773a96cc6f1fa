"""What time it is: the one place where the package asks.

Waiting goes by the monotonic clock, which is the event loop's; what people are shown
goes by the wall clock, in UTC. Tests hand in a clock of their own, so that history,
events and delays tell the same story under virtual time.
"""

import asyncio
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def monotonic(self) -> float:
        """Seconds by the event loop's clock, which never goes back."""
        ...

    def now(self) -> datetime:
        """The time of day, in UTC."""
        ...


class SystemClock:
    """The clocks of the loop and of the machine."""

    __slots__ = ()

    def monotonic(self) -> float:
        """Seconds by the running event loop's clock."""
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)
