"""Turns: work that may wait is done one after the other, in the order of asking.

A lock would not do: it is asked for when a task begins to run, and order is that of
the calls. A turn is taken in the very call, and used later.
"""

import asyncio
from collections import deque


class Turn:
    """A place in the line. Whoever has taken it leaves it, whatever happens."""

    def __init__(self, line: deque["Turn"]) -> None:
        self._line = line
        self._called: asyncio.Future[None] | None = None
        line.append(self)

    @property
    def is_here(self) -> bool:
        """Whether nobody is before it."""
        return self._line[0] is self

    async def come(self) -> None:
        """Wait until it is here. Cancelling it keeps the place."""
        if not self.is_here:
            self._called = asyncio.get_running_loop().create_future()
            await self._called

    def leave(self) -> None:
        """Let the next one come. More than once does no harm."""
        if self not in self._line:
            return
        was_here = self.is_here
        self._line.remove(self)
        if was_here and self._line:
            self._line[0]._call()  # noqa: SLF001 - of the same class

    def _call(self) -> None:
        if self._called is not None and not self._called.done():
            self._called.set_result(None)


class Turns:
    """The line."""

    def __init__(self) -> None:
        self._line: deque[Turn] = deque()

    def take(self) -> Turn:
        """Take a place at the end of the line."""
        return Turn(self._line)
