"""Fixtures of the unit tests, which need no network and run inside Pyodide too."""

import asyncio
import contextlib
import sys
from typing import NoReturn

import pytest
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.support.fake_environment import FakeEnvironment
from tests.support.fixtures import platform
from tests.support.no_loop import no_loop_of_its_own
from tests.support.recording_sink import Recording
from tests.unit.fake_js import FakeJs
from ws_common.options import platform as platforms
from ws_common.options.options import ConnectRequest, WebSocketOptions
from ws_common.vocabulary.errors import WSUnsupportedError
from ws_js import PLATFORM
from ws_js.connector import BrowserConnector

__all__ = ["in_a_browser", "no_loop_of_its_own", "platform"]

settings.register_profile(
    "unit",
    # WebAssembly is slow, and what is pure is searched thoroughly natively.
    max_examples=10 if sys.platform == "emscripten" else 100,
    stateful_step_count=10 if sys.platform == "emscripten" else 50,
    deadline=None,  # a slow moment of the machine is no failure
    database=DirectoryBasedExampleDatabase(".cache/hypothesis"),
)
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def _bound(platform):
    """Options need a platform; importing `ws` would bind it as well."""
    platforms.bind(platform)
    yield
    platforms.bind(platform)


@pytest.fixture
def in_a_browser(platform):
    """What `ws_common` sees of a browser, wherever this runs."""

    def refuse(code: int) -> NoReturn:
        raise WSUnsupportedError(f"a browser may not send {code}")

    browser = platform._replace(
        name="js",
        check_close_code=refuse,
        stream_capacity=None,
        stream_max_bytes=64 * 2**20,
        stream_overflow="error",
        write_limit=2**20,
    )
    platforms.bind(browser)
    return browser


@pytest.fixture
def environment_events(platform):
    """A platform that hears of the network and the page."""
    fake = FakeEnvironment()
    platforms.bind(platform._replace(environment_events=lambda: fake))
    return fake


@pytest.fixture
def js(_bound):
    """A fake JavaScript, in which nothing may be left alive."""
    platforms.bind(PLATFORM)
    fake = FakeJs()
    yield fake
    assert fake.live == set()


@pytest.fixture
async def begin(js):
    """Begins to connect in a browser; what is left open is aborted."""
    tasks = []

    async def begin_one(url="wss://example.org/chat?token=s3cr3t", sink=None, **given):
        options = WebSocketOptions.js(**given)
        request = ConnectRequest(url=url, headers={}, options=options)
        connector = BrowserConnector(options, js.bridge)
        task = asyncio.ensure_future(connector(request, sink or Recording()))
        tasks.append(task)
        await asyncio.sleep(0)
        return task

    yield begin_one
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            (await task).abort()


@pytest.fixture
async def open_one(js, begin):
    """An open connection: the transport, the socket and the sink."""

    async def open_it(**given):
        sink = Recording()
        task = await begin(sink=sink, **given)
        js.sockets[-1].play_open()
        return await task, js.sockets[-1], sink

    return open_it
