"""The last line of a program that runs on both platforms, natively."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a program: `asyncio.run` natively, a task on the page's loop in Pyodide.

    Args:
        main: The program's coroutine.

    Returns:
        What it returns, natively; in a browser the task that runs it.

    Example:
        >>> async def main() -> str:
        ...     return "done"
        >>> run(main())
        'done'
    """
    return asyncio.run(main)
