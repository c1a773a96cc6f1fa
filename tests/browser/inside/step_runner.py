"""Runs pytest where nothing can wait inside it: without JSPI, as in WebKitGTK.

pytest collects, sets up, reports and tears down as ever; between these steps, which are
plain calls, the page's loop runs, and with it the coroutine of an asynchronous test. So
its outcome is there before pytest asks for it.

What cannot be had this way: an asynchronous fixture that waits before its `yield` (it
fails and says so); asynchronous tests of what pytest captures while it calls a test,
and those that call `asyncio.run` (skipped).
"""

import asyncio
import inspect
import warnings
from collections.abc import AsyncGenerator, Coroutine, Sequence
from typing import Any, NoReturn

import pytest
from _pytest.config import _prepareconfig
from _pytest.runner import call_and_report

from tests.browser.inside.plugin_stubs import PATIENCE

CAPTURING = frozenset({"caplog", "capfd", "capsys", "recwarn"})


async def run_tests(arguments: Sequence[str], plugins: Sequence[object]) -> int:
    """Do what `pytest.main` does, and return its exit code."""
    stepping = Stepping()
    asyncio.run = _no_run
    config = _prepareconfig(list(arguments), [*plugins, stepping])
    config._do_configure()
    session = pytest.Session.from_config(config)
    code = pytest.ExitCode.INTERNAL_ERROR
    try:
        config.hook.pytest_sessionstart(session=session)
        config.hook.pytest_collection(session=session)
        items: list[pytest.Item | None] = [*session.items, None]
        for item, following in zip(session.items, items[1:], strict=True):
            await stepping.run(item, following)
        failed = session.testsfailed or not session.items
        code = pytest.ExitCode.TESTS_FAILED if failed else pytest.ExitCode.OK
    finally:
        config.hook.pytest_sessionfinish(session=session, exitstatus=code)
        config._ensure_unconfigure()
    return code


class Stepping:
    """The plugin, and who takes the steps.

    Attributes:
        _generators: Asynchronous fixtures of the test, in the order of their set-up.
        _error: What the coroutine of the test, or a teardown, ended with.
    """

    def __init__(self) -> None:
        self._generators: list[AsyncGenerator[Any]] = []
        self._error: BaseException | None = None

    async def run(self, item: pytest.Item, following: pytest.Item | None) -> None:
        """Run one test."""
        # Fixtures of a wider scope would outlive the test: there are none.
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        if hasattr(item, "_request") and not item._request:
            item._initrequest()
        self._error = None
        if call_and_report(item, "setup").passed:
            if _is_async(item):
                await self._wait_for(_call(item))
            call_and_report(item, "call")
        self._error = None
        while self._generators:
            await self._wait_for(anext(self._generators.pop(), None))
        call_and_report(item, "teardown", nextitem=following)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    async def _wait_for(self, awaitable: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                await asyncio.wait_for(awaitable, PATIENCE)
            except BaseException as error:  # noqa: BLE001 - pytest is told below
                self._error = self._error or error

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        captured = CAPTURING & set(getattr(item, "fixturenames", ()))
        if captured and _is_async(item):
            pytest.skip(f"{', '.join(captured)} needs JSPI in an asynchronous test")

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        if not _is_async(pyfuncitem):
            return None
        self._raise()
        return True

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self) -> None:
        self._raise()

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        function = fixturedef.func
        if inspect.isasyncgenfunction(function):
            fixturedef.func = self._generating(function)
        elif inspect.iscoroutinefunction(function):
            fixturedef.func = lambda **given: _finish(function(**given))

    def _generating(self, function: Any) -> Any:
        def generate(**given: Any) -> Any:
            generator = function(**given)
            value = _finish(anext(generator))
            self._generators.append(generator)
            return value

        return generate

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error


def _no_run(main: Coroutine[Any, Any, Any], **_options: Any) -> NoReturn:
    main.close()
    pytest.skip("asyncio.run needs JSPI")


def _is_async(item: pytest.Item) -> bool:
    return inspect.iscoroutinefunction(getattr(item, "obj", None))


def _call(item: Any) -> Coroutine[Any, Any, None]:
    names = item._fixtureinfo.argnames
    return item.obj(**{name: item.funcargs[name] for name in names})


def _finish(awaitable: Any) -> Any:
    """Return the result of a coroutine that never really waits."""
    try:
        awaitable.__await__().send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("without JSPI a fixture cannot wait before its test")
