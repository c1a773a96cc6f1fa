"""Background tasks: they are kept until they are done, and their crashes are reported.

An event loop holds only weak references to its tasks. asyncio reports an exception that
was never retrieved when the task is collected. The loop of Pyodide reports it at once,
but only if the task has no done callback, and keeping a task needs one. Pyodide 0.27
also fails on a cancelled task without a callback. So every task of this package has a
done callback, which reports the exception.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

_tasks: Final[set["asyncio.Task[Any]"]] = set()


def spawn(
    work: Coroutine[Any, Any, None], name: str, *, retrieved: bool = False
) -> "asyncio.Task[None]":
    """Start a task, and keep a reference to it until it is done.

    Args:
        work: The coroutine that the task runs.
        name: The name of the task, for debuggers.
        retrieved: Whether the caller retrieves the exception of the task, so that it
            must not be reported as a crash.
    """
    loop = asyncio.get_running_loop()
    try:
        task = loop.create_task(work, name=name)
    except (KeyboardInterrupt, SystemExit) as error:
        # An eager task (Python 3.12) runs inside of `create_task()`, and raises these
        # two to its caller, which would then be left half done. They are meant for
        # the code that runs the loop, so a task that is not eager raises them there.
        task = asyncio.Task(_raise(error), loop=loop, name=name)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    task.add_done_callback(_retrieve if retrieved else report_crash)
    return task


async def _raise(error: BaseException) -> None:
    raise error


def report_crash(task: "asyncio.Task[None]") -> None:
    """Report the exception of a finished task, if any, to the loop's handler."""
    error = _retrieve(task)
    # asyncio has already raised these two out of `run_forever()`.
    if error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
        task.get_loop().call_exception_handler(
            {
                "message": f"the task {task.get_name()!r} has crashed",
                "exception": error,
                "task": task,
            }
        )


def _retrieve(task: "asyncio.Task[None]") -> BaseException | None:
    # `exception()` marks it as retrieved; for a cancelled task it would raise.
    return None if task.cancelled() else task.exception()


def normalize_user_error(error: BaseException, who: str) -> Exception:
    """Return the exception to report for user code that raised.

    Args:
        error: What the user code raised.
        who: The user code, for the message: "a listener".

    Returns:
        The error itself, or a RuntimeError if something that the user code awaited was
        cancelled.

    Raises:
        CancelledError: The running task itself is being cancelled.
        BaseException: `error` is neither an Exception nor a CancelledError.
    """
    if isinstance(error, Exception):
        return error
    # User code that awaits a task which somebody else cancels raises CancelledError
    # too. Passing that on would end the task of this package, and all later messages
    # with it. `cancelling()` (Python 3.11) tells the two cases apart.
    task = asyncio.current_task()
    if task is None or task.cancelling():
        raise error
    failure = RuntimeError(f"something that {who} awaited was cancelled")
    failure.__cause__ = error
    return failure


def check_coroutine(main: object) -> None:
    """Reject what `ws.run()` cannot run.

    Raises:
        TypeError: It is no coroutine; for a function the message says what to write.
    """
    if not asyncio.iscoroutine(main):
        name = getattr(main, "__name__", "")
        hint = f": write ws.run({name}())" if callable(main) and name else ""
        raise TypeError(f"ws.run() takes a coroutine, not {main!r}{hint}")
