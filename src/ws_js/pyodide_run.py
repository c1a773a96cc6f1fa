"""`ws.run()` in a browser, where the event loop is always running.

`asyncio.run()` raises in Pyodide without JSPI, and whenever JavaScript calls Python. So
a program becomes a task of the page's loop.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

from ws_common.vocabulary.errors import WSUnsupportedError
from ws_common.vocabulary.tasks import check_coroutine

T = TypeVar("T")

_running: set["asyncio.Task[Any]"] = set()


def run(
    main: Coroutine[Any, Any, T],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> "asyncio.Task[T]":
    """Run a program: `asyncio.run` natively, a task on the page's loop in Pyodide.

    An exception of the program is shown in the console, unless the caller awaits the
    task.

    Args:
        main: The coroutine of the program.
        loop_factory: Makes the event loop, natively. A page has one already.

    Returns:
        The result of the program, natively; in a browser the task that runs it.

    Raises:
        TypeError: It was given a function instead of a coroutine.
        WSUnsupportedError: `loop_factory` is given.
    """
    check_coroutine(main)
    if loop_factory is not None:
        main.close()
        raise WSUnsupportedError(
            "a page has an event loop already: loop_factory is for native platforms"
        )
    loop = asyncio.get_event_loop()
    task = loop.create_task(_keep(main))
    # A task that is cancelled before its first step never runs `_keep`, and Python
    # would warn that the coroutine of the program was never awaited.
    loop.call_soon(lambda: main.close() if task.done() else None)
    return task


async def _keep(main: Coroutine[Any, Any, T]) -> T:
    """Run the program, and keep its task alive meanwhile."""
    # A loop refers to its tasks weakly. A done callback would be the usual way to
    # remove the reference again, but Pyodide's loop reports the exception of a task
    # only if the task has no other done callback than its own.
    task = cast("asyncio.Task[T]", asyncio.current_task())
    _running.add(task)
    try:
        return await main
    except asyncio.CancelledError:
        # Pyodide 0.27 also asks a cancelled task without other callbacks for its
        # exception, which raises CancelledError in the console.
        task.add_done_callback(_running.discard)
        raise
    finally:
        _running.discard(task)
