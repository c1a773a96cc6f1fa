"""Fixtures for everything that tests a transport. Import them into a conftest.

They run under pytest-asyncio and inside Pyodide alike; where `WS_TEST_SERVER` names a
server (a page cannot start one), that one is used.
"""

import asyncio
import itertools
import os
import sys

import pytest

from tests.support.transport_opener import Connect
from tests.support.urls import Urls
from ws_common.options import platform as platforms
from ws_common.options.platform import Platform

_keys = itertools.count()


@pytest.fixture(scope="session")
def server():
    """The URLs of a test server."""
    if base := os.environ.get("WS_TEST_SERVER"):
        yield Urls(base.rstrip("/"))
        return
    from tests.support.server import Server  # noqa: PLC0415 - not in a browser

    with Server() as running:
        yield running.urls


@pytest.fixture(scope="session")
def platform() -> Platform:
    """The platform that this runs on, as `ws` would bind it."""
    if sys.platform == "emscripten":
        from ws_js import PLATFORM  # noqa: PLC0415
    else:
        from ws_vm import PLATFORM  # noqa: PLC0415
    platforms.bind(PLATFORM)
    return PLATFORM


@pytest.fixture
async def connect(platform):
    """Opens transports, and aborts the open ones after the test."""
    connecting = Connect(platform)
    yield connecting
    connecting.abort_all()
    # A native socket is closed in the loop's next turn.
    await asyncio.sleep(0)


@pytest.fixture
def key() -> str:
    """A key that no other test uses on the server."""
    return f"{os.getpid()}-{next(_keys)}"
