"""Tasks that start in the call that creates them, on every Python.

From Python 3.12 on that is `asyncio.eager_task_factory`, which a program may choose for
speed. Before that its semantics are played by asyncio's own task in pure Python: its
first step runs at once, in its context and as the current task, and a coroutine that
never waits is done when `create_task()` returns.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any, cast

if sys.version_info >= (3, 12):
    eager_task_factory: Callable[..., Any] = asyncio.eager_task_factory
else:
    _PyTask: Any = cast("Any", asyncio.tasks)._PyTask

    class _EagerTask(_PyTask):  # type: ignore[misc]
        def __init__(
            self,
            coro: Coroutine[Any, Any, Any],
            *,
            loop: asyncio.AbstractEventLoop,
            name: str | None = None,
            context: Context | None = None,
        ) -> None:
            self._begun = False
            super().__init__(coro, loop=loop, name=name, context=context)
            parent = asyncio.current_task(loop)
            if parent is not None:
                asyncio.tasks._leave_task(loop, parent)
            try:
                self._context.run(super()._Task__step)
            finally:
                if parent is not None:
                    asyncio.tasks._enter_task(loop, parent)

        def _Task__step(self, error: BaseException | None = None) -> None:  # noqa: N802 - asyncio's, mangled
            """Leave out the step that asyncio has scheduled for the beginning."""
            if self._begun:
                super()._Task__step(error)
            self._begun = True

    def eager_task_factory(
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, Any],
        *,
        context: Context | None = None,
        **more: Any,
    ) -> Any:
        """Create an eager task, or an ordinary one if the loop does not run yet."""
        kind = _EagerTask if loop.is_running() else asyncio.Task
        return kind(coro, loop=loop, context=context, **more)


@contextmanager
def eager_tasks() -> Iterator[None]:
    """Make all new tasks of the running loop eager."""
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()
    loop.set_task_factory(cast("Any", eager_task_factory))
    try:
        yield
    finally:
        loop.set_task_factory(before)
