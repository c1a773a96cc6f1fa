"""Turns: in the order of asking, and nobody who leaves holds the others up."""

import asyncio

from ws_common.turns import Turns


async def test_in_the_order_of_asking():
    """Not in the order in which the tasks happen to run."""
    turns, log = Turns(), []

    async def work(name: str, turn) -> None:
        try:
            await turn.come()
            log.append(name)
            await asyncio.sleep(0)
        finally:
            turn.leave()

    taken = {name: turns.take() for name in "abc"}
    await asyncio.gather(*(work(name, taken[name]) for name in "cab"))
    assert log == ["a", "b", "c"]


async def test_leaving():
    """From anywhere in the line, and more than once."""
    turns = Turns()
    first, second, third = turns.take(), turns.take(), turns.take()
    waiting = asyncio.ensure_future(third.come())
    await asyncio.sleep(0)
    second.leave()
    await asyncio.sleep(0)
    assert not waiting.done()
    first.leave()
    first.leave()
    await waiting
    assert third.is_here
    third.leave()
    assert turns.take().is_here


async def test_cancelled_while_it_waits():
    """The place is kept until it is left; then the next one comes."""
    turns = Turns()
    first, second, third = turns.take(), turns.take(), turns.take()
    waiting = asyncio.ensure_future(second.come())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    first.leave()
    assert not third.is_here
    second.leave()
    assert third.is_here
