"""Tasks that nobody awaits: kept until they are done, and never silent about a crash.

A loop holds its tasks weakly. Natively it tells of an exception that nobody has asked
for when the task is collected; Pyodide's tells at once, but only where nobody has
added a done callback, which is what keeping a task takes. Pyodide 0.27 also stumbles
over a cancelled task that has no callback. So each task of ours has one, which tells.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

_tasks: Final[set["asyncio.Task[Any]"]] = set()


def spawn(
    work: Coroutine[Any, Any, None], name: str, *, retrieved: bool = False
) -> "asyncio.Task[None]":
    """Start a task, and keep it until it is done.

    Args:
        work: What it runs.
        name: For debuggers.
        retrieved: Whether somebody asks for its exception, or wants none any more.
    """
    loop = asyncio.get_running_loop()
    try:
        task = loop.create_task(work, name=name)
    except (KeyboardInterrupt, SystemExit) as error:
        # An eager task raises these to whoever makes it, who has work of its own to
        # do. They are for whoever runs the loop and whoever asks the task, as ever.
        task = asyncio.Task(_raise(error), loop=loop, name=name)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    task.add_done_callback(_retrieve if retrieved else report_crash)
    return task


async def _raise(error: BaseException) -> None:
    raise error


def report_crash(task: "asyncio.Task[None]") -> None:
    """Tell the loop of the exception that a task has ended with, if it has."""
    error = _retrieve(task)
    # The task has raised these to whoever runs the loop.
    if error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
        task.get_loop().call_exception_handler(
            {
                "message": f"the task {task.get_name()!r} has crashed",
                "exception": error,
                "task": task,
            }
        )


def _retrieve(task: "asyncio.Task[None]") -> BaseException | None:
    return None if task.cancelled() else task.exception()


def normalize_user_error(error: BaseException, who: str) -> Exception:
    """What to report where user code has raised, or what it awaited was cancelled.

    Raises:
        CancelledError: The task itself is cancelled.
    """
    if isinstance(error, Exception):
        return error
    task = asyncio.current_task()
    if task is None or task.cancelling():
        raise error
    failure = RuntimeError(f"what {who} waited for was cancelled")
    failure.__cause__ = error
    return failure
