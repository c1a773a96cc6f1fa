"""A lock that is first come, first served, in the order of the calls."""

import asyncio

from ws_common.errors import WSError


class FifoLock:
    """A lock for which the place in line is taken in one call and used in another.

    An `asyncio.Lock` would not do: there a place is taken when a task begins to run,
    and here order is that of the calls. Each place waits for the one before it alone,
    so that no operation depends on how many wait.

    Attributes:
        holder: Whoever has it, or had it last.
        failure: Why nobody gets it any more.
        running: The task that works under it, or the loop where it is no task.
    """

    __slots__ = ("_last", "failure", "holder", "running")

    def __init__(self) -> None:
        self._last: Place | None = None
        self.holder: Place | None = None
        self.failure: WSError | None = None
        # Compared with what runs now. A context variable would not do: the tasks that
        # an interceptor starts inherit it, and they may wait for their turn.
        self.running: object = None

    def enter(self) -> "Place":
        """Take the lock, or a place behind those who wait for it."""
        self._last = place = Place(self, self._last)
        if place.is_first:
            self.holder = place
        return place

    def fail(self, error: WSError) -> None:
        """Let everybody who waits raise this, whoever has the lock."""
        self.failure = error
        if self.holder is not None:
            self.holder.leave()


class Place:
    """A place in line. Whoever has taken one leaves it, whatever happens.

    Attributes:
        lock: What it is a place for.
        has_left: Whether those behind may go on.
    """

    __slots__ = ("_before", "_left", "has_left", "lock")

    def __init__(self, lock: FifoLock, before: "Place | None") -> None:
        self.lock = lock
        self.has_left = False
        self._before = before
        self._left: asyncio.Future[None] | None = None

    @property
    def is_first(self) -> bool:
        """Whether it has the lock."""
        return self._before is None or self._before.has_left

    def check(self) -> None:
        """Raise where the lock has failed."""
        if self.lock.failure is not None:
            raise self.lock.failure.with_traceback(None)

    async def reached(self) -> None:
        """Wait until it has the lock. Cancelling this keeps the place."""
        if self._before is not None and not self.is_first:
            await asyncio.wait((self._before.left(),))
        self.lock.holder = self
        self.check()

    def leave(self) -> None:
        """Give up the place, and the lock with it. More than once does no harm."""
        if self._before is not None and not self.is_first:
            self._before.left().add_done_callback(lambda _: self.leave())
        elif not self.has_left:
            self.has_left = True
            self._before = None
            if self._left is not None:
                self._left.set_result(None)

    def left(self) -> "asyncio.Future[None]":
        """Done when it has left."""
        if self._left is None:
            self._left = asyncio.get_running_loop().create_future()
        return self._left
