"""The FIFO lock: in the order of entering, and nobody who leaves holds others up."""

import asyncio

from ws_common.errors import WSNotConnectedError
from ws_common.turns import FifoLock


async def test_in_the_order_of_asking():
    """Not in the order in which the tasks happen to run."""
    lock, log = FifoLock(), []

    async def work(name: str, place) -> None:
        try:
            await place.reached()
            log.append(name)
            await asyncio.sleep(0)
        finally:
            place.leave()

    taken = {name: lock.enter() for name in "abc"}
    await asyncio.gather(*(work(name, taken[name]) for name in "cab"))
    assert log == ["a", "b", "c"]


async def test_leaving():
    """From anywhere in the line, and more than once."""
    lock = FifoLock()
    first, second, third = lock.enter(), lock.enter(), lock.enter()
    waiting = asyncio.ensure_future(third.reached())
    await asyncio.sleep(0)
    second.leave()
    await asyncio.sleep(0)
    assert not waiting.done()
    first.leave()
    first.leave()
    await waiting
    assert third.is_first
    third.leave()
    assert lock.enter().is_first


async def test_cancelled_while_it_waits():
    """The place is kept until it is left; then the next one comes."""
    lock = FifoLock()
    first, second, third = lock.enter(), lock.enter(), lock.enter()
    waiting = asyncio.ensure_future(second.reached())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    first.leave()
    assert not third.is_first
    second.leave()
    assert third.is_first


async def test_failing():
    """All who wait raise, whoever has the lock; leaving does no harm afterwards."""
    lock = FifoLock()
    first, *others = (lock.enter() for _ in range(4))
    waiting = [asyncio.ensure_future(one.reached()) for one in others]
    for one, task in zip(others, waiting, strict=True):
        task.add_done_callback(lambda _, one=one: one.leave())
    await asyncio.sleep(0)
    lock.fail(WSNotConnectedError("it was closed"))
    errors = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in errors] == [WSNotConnectedError] * 3
    first.leave()
