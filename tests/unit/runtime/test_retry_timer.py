"""The wait for the next attempt: held, cut short, remembered. No real time."""

import asyncio
import random

import pytest
from looptime import LoopTimeProxy

from ws_common.runtime.retry_timer import JITTER, RELEASE_MEMORY, RetryTimer

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()


@pytest.fixture
def fired():
    """The times at which the timer has fired, with the attempt and the cause."""
    return []


@pytest.fixture
def timer(fired):
    def record(attempt, cause):
        fired.append((float(clock), attempt, cause))

    return RetryTimer(record, random.Random(5))


async def test_it_fires_once_after_the_delay(timer, fired):
    """With the id that it was given."""
    timer.start(7, 10)
    await asyncio.sleep(100)

    assert fired == [(10, 7, "retry_due")]


async def test_it_can_be_stopped(timer, fired):
    """And is of no effect then, also where something releases it."""
    timer.start(1, 10)
    timer.stop()
    timer.fire()
    await asyncio.sleep(100)

    assert fired == []


async def test_each_reason_holds_it(timer, fired):
    """It fires when the last one is gone, within the jitter, with that cause."""
    timer.start(1, 10)
    timer.hold("offline")
    timer.hold("page_cached")
    await asyncio.sleep(100)
    timer.release("offline", "online")
    await asyncio.sleep(100)
    assert fired == []

    timer.release("page_cached", "page_shown")
    await asyncio.sleep(100)

    ((at, attempt, cause),) = fired
    assert 200 < at <= 200 + JITTER
    assert (attempt, cause) == (1, "page_shown")


async def test_a_release_does_not_put_off_a_wait_that_ends_sooner(timer, fired):
    """And the cause is the one that it had."""
    timer.start(1, 0)
    timer.release("offline", "online")
    await asyncio.sleep(1)

    assert fired == [(0, 1, "retry_due")]


@pytest.mark.parametrize("late", [0.5, 1.5])
async def test_a_release_before_the_wait_is_remembered_briefly(timer, fired, late):
    """A browser reports the lost socket a moment after the page is shown."""
    timer.release("page_cached", "page_shown")
    await asyncio.sleep(late * RELEASE_MEMORY)
    timer.start(1, 100)
    await asyncio.sleep(1000)
    timer.start(2, 100)
    await asyncio.sleep(1000)

    causes = [cause for _, _, cause in fired]
    assert causes == ["page_shown" if late < 1 else "retry_due", "retry_due"]


async def test_reset_forgets_everything(timer, fired):
    """Reasons to hold it too: the next wait is an ordinary one."""
    timer.start(1, 10)
    timer.hold("offline")
    timer.reset()
    assert timer.holds == frozenset()

    timer.start(2, 10)
    await asyncio.sleep(100)

    assert fired == [(10, 2, "retry_due")]


async def test_fire_does_nothing_while_it_is_held(timer, fired):
    """A clock that has jumped does not bring the network back."""
    timer.start(1, 10)
    timer.hold("offline")
    timer.fire()
    assert fired == []

    timer.release("offline", "online")
    timer.fire()
    await asyncio.sleep(100)

    assert [attempt for _, attempt, _ in fired] == [1]
