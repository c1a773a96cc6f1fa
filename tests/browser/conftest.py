"""Tests that run inside Pyodide: what they need, and the table at the end."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import bundle as bundles
from tests.browser.results import Results
from tests.browser.runtimes import configuration
from tests.browser.serving import serve
from tests.e2e.conftest import browser_context_args, browser_type_launch_args
from tests.support.server import Server

__all__ = ["browser_context_args", "browser_type_launch_args"]

collect_ignore = ["inside"]  # for Pyodide alone

_RESULTS = pytest.StashKey[list[Results]]()


@pytest.fixture(scope="session")
def pyodide_config() -> Iterator[dict[str, Any]]:
    """What `boot.mjs` is told; a page's server and a WebSocket server run meanwhile."""
    bundle = bundles.make()
    with serve(bundle) as base, Server() as server:
        yield configuration(
            base, server.urls.base, list(bundle.archives), list(bundle.suites)
        )


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
