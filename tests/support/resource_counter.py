"""Counts what a client may leak: sockets, tasks, timers."""

import asyncio
from pathlib import Path
from typing import Any

from tests.support.client_driver import leftovers

TURNS = 5000
"""Turns of the loop in which unfinished work may end."""

IDLE = 0.02
"""Seconds for which a loop may have nothing to do."""


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


class Turns:
    """The loop's turns in which something happens.

    `await turns.next()` lets the loop turn once. Where it has nothing to do, it waits
    for the network's next event, and returns before that is worked off; or, after a
    while, without one.
    """

    def __init__(self) -> None:
        loop: Any = asyncio.get_running_loop()
        self._loop = loop
        self._event: asyncio.Future[None] | None = None
        select = loop._selector.select

        def select_and_wake(timeout: float | None = None) -> Any:
            events = select(timeout)
            if events:
                self._wake()
            return events

        loop._selector.select = select_and_wake

    async def next(self) -> None:
        await asyncio.sleep(0)
        if self._loop._ready:
            return
        self._event = self._loop.create_future()
        late = self._loop.call_later(IDLE, self._wake)
        await self._event
        late.cancel()

    def _wake(self) -> None:
        if self._event is not None and not self._event.done():
            self._event.set_result(None)
