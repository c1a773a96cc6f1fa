"""`ws.run()` on native platforms, so that a program is the same in a browser."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar, cast

from ws_common.vocabulary.tasks import check_coroutine

T = TypeVar("T")

TERMINATED: Final = 128 + signal.SIGTERM
"""The exit status by which shells tell that SIGTERM has ended a program: 143."""


def run(
    main: Coroutine[Any, Any, T],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T:
    """Run a program: `asyncio.run` natively, a task on the page's loop in Pyodide.

    Ctrl-C cancels the program, and `KeyboardInterrupt` is raised when it has ended.
    SIGTERM, by which containers and service managers stop a program, cancels it too,
    and `SystemExit(143)` is raised. So an `async with` around a client says goodbye
    to its server (code 1001) in both cases. A program that has a handler of its own
    for SIGTERM keeps it.

    Args:
        main: The program's coroutine.
        loop_factory: Makes the event loop, natively; `uvloop.new_event_loop` for
            instance. By default that of `asyncio`.

    Returns:
        What the program returns, natively; in a browser the task that runs it.

    Raises:
        TypeError: It was given a function instead of a coroutine.
        RuntimeError: An event loop is running already, as in a notebook.
        KeyboardInterrupt: Ctrl-C has ended the program.
        SystemExit: SIGTERM has ended it; the exit status is 143.
        WSUnsupportedError: In a browser, where `loop_factory` is given.

    Example:
        >>> async def main() -> str:
        ...     return "done"
        >>> run(main())
        'done'
    """
    check_coroutine(main)
    if _is_loop_running():
        main.close()
        raise RuntimeError(
            "ws.run() cannot be called while an event loop is running, as it is in a "
            "notebook: write `await main()` there"
        )
    terminations: list[int] = []
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(_until_terminated(main, terminations))
    except asyncio.CancelledError:
        # SystemExit is raised here because inside the loop it would stop the loop in
        # the middle of a turn.
        if terminations:
            raise SystemExit(TERMINATED) from None
        raise


def _is_loop_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _until_terminated(main: Coroutine[Any, Any, T], terminations: list[int]) -> T:
    """Run a program that SIGTERM cancels; each signal is added to the list."""
    loop = asyncio.get_running_loop()
    task = cast("asyncio.Task[T]", asyncio.current_task())

    def terminate() -> None:
        terminations.append(signal.SIGTERM)
        task.cancel("SIGTERM")

    is_ours = False
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        # Windows has no such handlers, and threads other than the first cannot set
        # any: there SIGTERM does what it always does.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(signal.SIGTERM, terminate)
            is_ours = True
    try:
        return await main
    finally:
        if is_ours:
            loop.remove_signal_handler(signal.SIGTERM)
