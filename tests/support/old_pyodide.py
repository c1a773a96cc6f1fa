"""What older Pyodides do with tasks and promises, for a loop and a `js` of CPython.

Pyodide's loop counts the done callbacks of a task. Where its own is the only one, it
takes an exception for unhandled and reports it; where there are more it says nothing.
In 0.27 it asks a task for its exception that was cancelled, too, which raises. From
0.28 on it does not. In 0.25 the future behind an awaited promise is set even where it
was cancelled meanwhile.

Sources: `webloop.py` of Pyodide 0.25.1, 0.27.7 and 0.28.3.
"""

import asyncio
from collections.abc import Callable, Generator
from typing import Any


class CountingTask(asyncio.Task[Any]):
    """A task that knows how many done callbacks it was given."""

    def __init__(self, *args: Any, **how: Any) -> None:
        self.done_callbacks = 0
        super().__init__(*args, **how)

    def add_done_callback(self, *args: Any, **how: Any) -> None:
        super().add_done_callback(*args, **how)
        self.done_callbacks += 1


class Reports(list[dict[str, Any]]):
    """What the loop's exception handler was told, from `install()` on."""

    @property
    def exceptions(self) -> list[Any]:
        return [context.get("exception") for context in self]


def install(loop: asyncio.AbstractEventLoop, *, asks_cancelled: bool) -> Reports:
    """Have tasks treated as Pyodide does.

    Args:
        loop: What makes the tasks.
        asks_cancelled: As 0.27 does.
    """
    reports = Reports()

    def report(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # In a page nobody knows when the garbage collector comes, or whether it does.
        if "never retrieved" not in context.get("message", ""):
            reports.append(context)

    loop.set_exception_handler(report)

    def done(task: CountingTask) -> None:
        if task.done_callbacks != 1 or (task.cancelled() and not asks_cancelled):
            return
        if (error := task.exception()) is not None:
            loop.call_exception_handler({"exception": error})

    def make(_loop: asyncio.AbstractEventLoop, work: Any, **how: Any) -> CountingTask:
        task = CountingTask(work, loop=loop, **how)
        task.add_done_callback(done)
        return task

    loop.set_task_factory(make)
    return reports


class OldPromise:
    """A promise as Python gets hold of it in Pyodide 0.25; the test settles it."""

    def __init__(self) -> None:
        self._futures: list[asyncio.Future[Any]] = []
        self._callbacks: list[Callable[[Any], Any]] = []

    def __await__(self) -> Generator[Any, None, Any]:
        future = asyncio.get_running_loop().create_future()
        self._futures.append(future)
        return future.__await__()

    def then(self, on_fulfilled: Callable[[Any], Any], *_: Any) -> None:
        self._callbacks.append(on_fulfilled)

    def settle(self, value: Any) -> None:
        """Fulfil it. What this raises would be an uncaught error in the page."""
        for future in self._futures:
            future.set_result(value)
        for callback in self._callbacks:
            callback(value)
