"""Counts what a client has in its hands: sockets, tasks, timers."""

import asyncio
from pathlib import Path

from tests.support.driving import leftovers

TURNS = 5000
"""Of the loop, for what is under way to come to its end."""


def descriptors() -> int:
    """The open file descriptors of this process, those of a test server too."""
    return len(list(Path("/dev/fd").iterdir()))


async def nothing_left(before: int) -> None:
    """Wait until no task, timer or descriptor is left but those that were before."""
    for _ in range(TURNS):
        if not leftovers() and descriptors() <= before:
            return
        await asyncio.sleep(0.001)
    more = descriptors() - before
    raise AssertionError(f"left behind: {leftovers()}, {more} descriptors")


async def turn(task: "asyncio.Future[object]") -> None:
    """Let the loop turn once; where it has nothing to do, wait until it has."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    while not ready and not task.done():
        await asyncio.sleep(0.0005)  # noqa: ASYNC110 - the loop itself is watched
