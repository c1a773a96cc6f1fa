"""The last line of a program that runs on both platforms, in a browser."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

T = TypeVar("T")

_running: set["asyncio.Task[Any]"] = set()


def run(main: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Run a program: `asyncio.run` natively, a task on the page's loop in Pyodide.

    What it raises is shown in the console, unless whoever called this awaits it.

    Args:
        main: The program's coroutine.

    Returns:
        What it returns, natively; in a browser the task that runs it.
    """
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
