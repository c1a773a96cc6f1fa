"""The browser of `playwright.config.py`, for pytest-playwright."""

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserType, Page

from tests.e2e.page_session import PAGE, Living, serve
from tests.support.server import Server

ROOT = Path(__file__).resolve().parents[2]
CONFIG = runpy.run_path(str(ROOT / "playwright.config.py"))


def pytest_configure(config: pytest.Config) -> None:
    """Take options from the configuration that the command line does not set."""
    config.option.output = str(CONFIG["ARTIFACTS"])
    if config.option.tracing == "off":
        config.option.tracing = CONFIG["TRACING"]
    if config.option.screenshot == "off":
        config.option.screenshot = CONFIG["SCREENSHOT"]


@pytest.fixture(scope="session")
def playwright_config() -> dict[str, Any]:
    """The configuration in `playwright.config.py`."""
    return CONFIG


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any],
    browser_type: BrowserType,
) -> dict[str, Any]:
    """The options with which the browser is started."""
    ours = CONFIG["launch_arguments"](browser_type.executable_path)
    return {**browser_type_launch_args, **ours}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """The options of a new browser context."""
    return {**browser_context_args, **CONFIG["context_arguments"]()}


@pytest.fixture(scope="session")
def demo_url() -> Iterator[str]:
    """The URL of the demo's page, on a server of its own."""
    with CONFIG["demo_server"]() as url:
        yield url


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The page's base URL."""
    with serve() as served:
        yield served


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The URL that the client connects to."""
    with Server() as running:
        yield running


@pytest.fixture
def living(page: Page, site: str) -> Living:
    """The loaded page, in which the program has not started."""
    page.goto(site + PAGE)
    return Living(page.evaluate, site)
