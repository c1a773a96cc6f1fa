"""Timers of any duration fire when they are due, and not again."""

import asyncio

import pytest

from ws_common.vocabulary.timers import MAX_TIMER_DELAY, call_later

pytestmark = pytest.mark.looptime

DELAYS = [0, 1, MAX_TIMER_DELAY, 2_147_484, 7_500_000]


@pytest.mark.parametrize("delay", DELAYS)
async def test_call_later(delay):
    """It calls at the very moment, once, and with the arguments."""
    loop, called = asyncio.get_running_loop(), []
    call_later(delay, lambda *what: called.append((*what, loop.time())), "a", "b")
    await asyncio.sleep(5 * MAX_TIMER_DELAY)
    assert [("a", "b", pytest.approx(delay, abs=0.01))] == called


@pytest.mark.parametrize("delay", DELAYS[1:])
@pytest.mark.parametrize("after", [0, 0.5])
async def test_cancelling(delay, after):
    """It calls nothing then, however often it was armed."""
    called = []
    timer = call_later(delay, called.append, "x")
    await asyncio.sleep(after * delay)
    timer.cancel()
    await asyncio.sleep(5 * MAX_TIMER_DELAY)
    assert [] == called
