"""Tests that run inside Pyodide: what they need, and the table at the end."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import bundle as bundles
from tests.browser.results import Results
from tests.browser.runtimes import RUNTIMES, configuration
from tests.browser.serving import serve
from tests.e2e.conftest import browser_context_args, browser_type_launch_args
from tests.support.server import Server

__all__ = ["browser_context_args", "browser_type_launch_args"]

collect_ignore = ["inside"]  # for Pyodide alone

_RESULTS = pytest.StashKey[list[Results]]()


@pytest.fixture(scope="session")
def bundle() -> bundles.Bundle:
    """What goes into Pyodide."""
    return bundles.make()


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    """The name of a runtime."""
    return str(request.param)


@pytest.fixture
def pyodide_config(bundle: bundles.Bundle, runtime: str) -> Iterator[dict[str, Any]]:
    """What `boot.mjs` is told; a page's server and a WebSocket server run meanwhile.

    The latter is a fresh one for each runtime: every Pyodide is process 42.
    """
    with serve(bundle) as base, Server() as server:
        archives, suites = list(bundle.archives), list(bundle.suites)
        yield configuration(runtime, base, server.urls.base, archives, suites)


@pytest.fixture
def table(request: pytest.FixtureRequest) -> list[Results]:
    """What is added here is shown at the end of the run."""
    return request.config.stash.setdefault(_RESULTS, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show what ran where."""
    results = config.stash.get(_RESULTS, [])
    if results:
        terminalreporter.section("inside Pyodide")
    for result in results:
        terminalreporter.line(result.line())
    for left_out in sorted({result.left_out_line() for result in results} - {""}):
        terminalreporter.line(f"not collected: {left_out}")
