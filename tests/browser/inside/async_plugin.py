"""A pytest plugin: coroutines as tests and fixtures, through `run_sync`.

pytest-asyncio cannot work here: a page's loop runs already and cannot be run anew.
`run_sync` suspends the WebAssembly stack instead (JSPI) until the page's loop is done.
"""

import asyncio
import inspect
from functools import wraps
from typing import Any

import pytest
from pyodide.ffi import run_sync

from tests.browser.inside.plugin_stubs import PATIENCE


def wait_for(awaitable: Any) -> Any:
    """Run a coroutine to its end on the page's loop, and raise what it raises.

    The outcome is carried around JavaScript, which would lose its type.
    """
    outcome: list[tuple[Any, BaseException | None]] = []

    async def run() -> None:
        try:
            outcome.append((await asyncio.wait_for(awaitable, PATIENCE), None))
        except BaseException as error:  # noqa: BLE001 - raised again below
            outcome.append((None, error))

    run_sync(run())
    result, error = outcome.pop()
    if error is not None:
        raise error
    return result


class Awaiting:
    """The plugin."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        if not inspect.iscoroutinefunction(pyfuncitem.obj):
            return None
        names = pyfuncitem._fixtureinfo.argnames
        wait_for(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        function = fixturedef.func
        if inspect.isasyncgenfunction(function):

            @wraps(function)
            def generate(*args: Any, **kwargs: Any) -> Any:
                generator = function(*args, **kwargs)
                yield wait_for(anext(generator))
                wait_for(anext(generator, None))

            _replace(fixturedef, generate)
        elif inspect.iscoroutinefunction(function):

            @wraps(function)
            def call(*args: Any, **kwargs: Any) -> Any:
                return wait_for(function(*args, **kwargs))

            _replace(fixturedef, call)


def _replace(fixturedef: pytest.FixtureDef[Any], function: Any) -> None:
    fixturedef.func = function
