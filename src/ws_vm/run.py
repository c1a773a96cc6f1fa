"""`ws.run()` on native platforms, so that a program is the same in a browser."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a program: with `asyncio.run` natively, as a task of the page in Pyodide.

    Args:
        main: The program's coroutine.

    Returns:
        Natively what the coroutine returns; in a browser the task that runs it.

    Example:
        >>> async def main() -> str:
        ...     return "done"
        >>> run(main())
        'done'
    """
    return asyncio.run(main)
