"""The clock, and how late a timer is by it."""

import asyncio
from datetime import UTC, datetime

import pytest

from ws_common.vocabulary.clock import Clock, ExpectedTime


class FakeClock(Clock):
    """Both clocks as the test sets them.

    Attributes:
        loop_time: Seconds of the monotonic clock.
        timestamp: Seconds of the wall clock.
    """

    __slots__ = ("loop_time", "timestamp")

    def __init__(self) -> None:
        self.loop_time = 100.0
        self.timestamp = 1_000_000.0

    def monotonic(self) -> float:
        return self.loop_time

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.timestamp, UTC)


async def test_monotonic():
    """The monotonic clock is the clock of the running loop."""
    before = asyncio.get_running_loop().time()
    measured = Clock().monotonic()

    assert before <= measured <= asyncio.get_running_loop().time()


def test_now():
    """The time of day is an aware datetime in UTC."""
    before = datetime.now(UTC)
    now = Clock().now()

    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


@pytest.mark.parametrize(
    ("loop_time", "timestamp", "lateness"),
    [
        (105.0, 1_000_005.0, 0.0),  # on time
        (107.0, 1_000_007.0, 2.0),  # a busy loop
        (105.0, 1_000_605.0, 600.0),  # the machine slept, and its loop time stood still
        (165.0, 999_000.0, 60.0),  # a frozen page, and a wall clock that was set back
        (102.0, 1_000_002.0, -3.0),  # early
    ],
)
def test_lateness(loop_time, timestamp, lateness):
    """A timer is as late as the later of both clocks says."""
    clock = FakeClock()
    expected = ExpectedTime.after(5.0, clock)
    clock.loop_time, clock.timestamp = loop_time, timestamp

    assert lateness == pytest.approx(expected.lateness(clock))
