"""Timers of any duration fire when they are due, and only once."""

import asyncio

import pytest

from ws_common.vocabulary.timers import MAX_TIMER_DELAY, call_later

pytestmark = pytest.mark.looptime

DELAYS = [0, 1, MAX_TIMER_DELAY, 2_147_484, 7_500_000]


@pytest.mark.parametrize("delay", DELAYS)
async def test_call_later(delay):
    """The callback is called once, on time and with its arguments."""
    loop, called = asyncio.get_running_loop(), []
    call_later(delay, lambda *what: called.append((*what, loop.time())), "a", "b")
    await asyncio.sleep(5 * MAX_TIMER_DELAY)
    assert [("a", "b", pytest.approx(delay, abs=0.01))] == called


@pytest.mark.parametrize("delay", DELAYS[1:])
@pytest.mark.parametrize("after", [0, 0.5])
async def test_cancelling(delay, after):
    """A cancelled timer calls nothing, however often it was restarted before."""
    called = []
    timer = call_later(delay, called.append, "x")
    await asyncio.sleep(after * delay)
    timer.cancel()
    await asyncio.sleep(5 * MAX_TIMER_DELAY)
    assert [] == called
