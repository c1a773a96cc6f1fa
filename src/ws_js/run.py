"""The last line of a program that runs on both platforms, in a browser."""

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

    What the program raises is shown in the console, unless the caller awaits the task.

    Args:
        main: The program's coroutine.
        loop_factory: Makes the event loop, natively. A page has one already.

    Returns:
        What the program returns, natively; in a browser the task that runs it.

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
    # One that was cancelled before it began has left the program's coroutine alone.
    loop.call_soon(lambda: main.close() if task.done() else None)
    return task


async def _keep(main: Coroutine[Any, Any, T]) -> T:
    """Run it in a task that holds itself: the loop holds its tasks weakly.

    Not by a done callback: where there is one, Pyodide's loop takes an exception for
    one that somebody asks for.
    """
    task = cast("asyncio.Task[T]", asyncio.current_task())
    _running.add(task)
    try:
        return await main
    except asyncio.CancelledError:
        # Pyodide 0.27 asks a cancelled task that has none for its exception, too.
        task.add_done_callback(_running.discard)
        raise
    finally:
        _running.discard(task)
