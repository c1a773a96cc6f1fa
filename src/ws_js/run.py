"""The last line of a program that runs on both platforms, in a browser."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_running: set["asyncio.Task[Any]"] = set()


def run(main: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Run a program: `asyncio.run` natively, a task on the page's loop in Pyodide.

    Args:
        main: The program's coroutine.

    Returns:
        What it returns, natively; in a browser the task that runs it.
    """
    task = asyncio.get_event_loop().create_task(main)
    # The loop itself holds its tasks weakly.
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task
