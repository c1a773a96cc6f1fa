"""Fixtures of the tests that run inside Pyodide, and the table at the end."""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import bundle as bundles
from tests.browser.engines import firefox as firefoxes
from tests.browser.engines import webkit as webkits
from tests.browser.engines.chromium import Chromium
from tests.browser.engines.tab import Tab
from tests.browser.results import Results, table_of
from tests.browser.runtimes import MEASURED, RUNTIMES, configuration
from tests.browser.static_server import serve
from tests.e2e.conftest import (
    browser_context_args,
    browser_type_launch_args,
    playwright_config,
)
from tests.support.server import Server
from tools.common import ToolError

__all__ = ["browser_context_args", "browser_type_launch_args", "playwright_config"]

collect_ignore = ["inside"]  # for Pyodide alone

_RESULTS = pytest.StashKey[list[Results]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that `make test-browsers` uses."""
    words = "every runtime, and what takes long"
    parser.addoption("--everywhere", action="store_true", help=words)
    words = "more arguments for pytest inside Pyodide"
    parser.addoption("--inside", default="", help=words)


def pytest_configure(config: pytest.Config) -> None:
    """Register our marker."""
    config.addinivalue_line("markers", "everywhere: runs with --everywhere alone")


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Skip the tests that only `make test-browsers` runs."""
    if config.option.everywhere:
        return
    extra = [item for item in items if item.get_closest_marker("everywhere")]
    items[:] = [item for item in items if item not in extra]
    config.hook.pytest_deselected(items=extra)


@pytest.fixture(scope="session")
def bundle() -> bundles.Bundle:
    """The files for Pyodide."""
    return bundles.make()


@pytest.fixture
def pyodide_config(
    request: pytest.FixtureRequest, bundle: bundles.Bundle, runtime: str
) -> Iterator[dict[str, Any]]:
    """What `boot.mjs` is told; a page's server and a WebSocket server run meanwhile.

    The latter is a fresh one for each runtime: every Pyodide is process 42.
    """
    with serve(bundle.archives) as base, Server() as server:
        archives, suites = list(bundle.archives), list(bundle.suites)
        if runtime != MEASURED:  # what is pure needs one proof in WebAssembly
            suites.remove("tests/unit")
        config = configuration(runtime, base, server.urls.base, archives, suites)
        config["args"] += shlex.split(request.config.option.inside)
        yield config


@pytest.fixture(scope="session")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """Firefox; the test is skipped if it is not installed."""
    try:
        with firefoxes.start(tmp_path_factory.mktemp("firefox")) as tab:
            yield tab
    except ToolError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def webkit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """WebKitGTK; the test is skipped if it is not installed."""
    try:
        with webkits.start(tmp_path_factory.mktemp("webkit")) as tab:
            yield tab
    except ToolError as error:
        pytest.skip(str(error))


@pytest.fixture
def chromium(page: Any) -> Tab:
    """Chromium, with a fresh context for each test."""
    return Chromium(page)


@pytest.fixture
def tab(request: pytest.FixtureRequest, runtime: str) -> Tab | None:
    """A page of the runtime's browser; None for Node."""
    engine = RUNTIMES[runtime].engine
    return None if engine == "node" else request.getfixturevalue(engine)


@pytest.fixture
def table(request: pytest.FixtureRequest) -> list[Results]:
    """A list of results that are shown at the end of the run."""
    return request.config.stash.setdefault(_RESULTS, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table of what ran where."""
    if results := config.stash.get(_RESULTS, []):
        terminalreporter.section("inside Pyodide")
        terminalreporter.line(table_of(results))
