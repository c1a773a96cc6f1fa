"""What older versions of Pyodide show in the console: crashes, and nothing else.

Their rules about tasks and promises are played on CPython's loop, see
`tests/support/old_pyodide.py`: a task's exception is shown only where nobody has added
a done callback, and cancelling must not be answered with an error in the console.
"""

import asyncio
import gc
import inspect
import sys
from types import SimpleNamespace

import pytest
from pyodide.ffi import JsException

import ws
from tests.support.idle import until_idle
from tests.support.old_pyodide import OldPromise, Reports, install
from tests.unit.fake_page import URL, client_in, end, next_socket, open_client
from ws.testing import WebSocketClientFake
from ws_js.pyodide_run import run

pytestmark = pytest.mark.skipif(
    sys.platform == "emscripten", reason="Pyodide has a loop of its own"
)


class Crash(Exception):  # noqa: N818 - it is one
    """What a program raises."""


class Stop(BaseException):
    """An exception that no `except Exception` catches, like `SystemExit`."""


@pytest.fixture
async def console():
    """The console under the rules of Pyodide 0.28 and later."""
    loop = asyncio.get_running_loop()
    yield install(loop, asks_cancelled=False)
    _restore(loop)


@pytest.fixture
async def console_027():
    """The console under the rules of Pyodide 0.27."""
    loop = asyncio.get_running_loop()
    yield install(loop, asks_cancelled=True)
    _restore(loop)


def _restore(loop: asyncio.AbstractEventLoop) -> None:
    gc.collect()  # what it finds is told here, and not in another test
    loop.set_task_factory(None)
    loop.set_exception_handler(None)


def crashes(console: Reports) -> list[type]:
    return [type(error) for error in console.exceptions]


def told(events: list[ws.ClientEvent]) -> list[type]:
    return [type(event.details.get("error")) for event in events]


async def hang(*_: object) -> None:
    """Wait for ever: as a provider, `after_connect`, a listener or an interceptor."""
    await asyncio.Event().wait()


async def crash() -> None:
    await asyncio.sleep(0)
    raise Crash


async def stop(*_: object) -> None:
    await asyncio.sleep(0)
    raise Stop


async def test_a_program_that_crashes(console):
    """`ws.run()` does not hide an exception of the program."""
    task = run(crash())
    await until_idle()
    assert isinstance(task.exception(), Crash)
    assert [Crash] == crashes(console)


async def test_a_program_that_somebody_awaits(console):
    """Whoever awaits the task gets the exception, and the console does not show it."""
    with pytest.raises(Crash):
        await run(crash())
    assert [] == crashes(console)


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_listener_that_stops(js, console, is_async):
    """A BaseException that ends a listener is shown, or reported to `on_event`."""

    def stop_now(_: object) -> None:
        raise Stop

    events = []
    async with open_client(js, on_event=events.append) as (client, socket):
        client.stream.listen(stop if is_async else stop_now)
        socket.play_message("x")
        await until_idle()
        assert Stop in crashes(console) + told(events)


async def test_what_stops_is_shown_once(js, console):
    """Each BaseException is shown once."""
    receive = ws.WSInterceptor.handlers(on_message=stop)
    send = ws.WSInterceptor.handlers(on_send=stop)
    async with open_client(js, interceptors=[receive, send]) as (client, socket):
        client.add_nowait("x")
        socket.play_message("x")
        await until_idle()
    async with open_client(js) as (client, socket):
        client.stream.listen(stop)
        socket.play_message("x")
        await until_idle()
    assert [Stop] * 3 == crashes(console)


async def test_an_interceptor_that_stops(js, console):
    """One that ends a send is shown or reported, and the receipt has failed."""
    events = []
    options = {"interceptors": [ws.WSInterceptor.handlers(on_send=stop)]}
    async with open_client(js, on_event=events.append, **options) as (client, _):
        receipt = client.add_nowait("x")
        await until_idle()
        assert Stop in crashes(console) + told(events)
        assert "failed" == receipt.status


async def test_an_interceptor_of_messages_that_stops(js, console):
    """One that ends the handling of a received message is shown or reported."""
    events = []
    options = {"interceptors": [ws.WSInterceptor.handlers(on_message=stop)]}
    async with open_client(js, on_event=events.append, **options) as (_, socket):
        socket.play_message("x")
        await until_idle()
        assert Stop in crashes(console) + told(events)


async def test_cancelling_a_diagnosis(js):
    """The promise of an aborted request is settled without an error (Pyodide 0.25)."""
    promises = []

    def wait_for_all(_: object) -> OldPromise:
        promises.append(OldPromise())
        return promises[-1]

    js.Promise.allSettled = wait_for_all
    client = client_in(js, diagnose=True)
    connecting = asyncio.ensure_future(client.connect(URL))
    (await next_socket(js)).play_error()
    await until_idle()
    (promise,) = promises
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    await client.close()
    await until_idle()
    error = JsException("AbortError", "signal is aborted without reason")
    promise.settle([SimpleNamespace(status="rejected", reason=error)])
    await until_idle()


@pytest.mark.parametrize("during", ["the provider", "the handshake", "after_connect"])
async def test_cancelling_an_attempt(js, console_027, during):
    """Cancelling an attempt shows nothing in the console (Pyodide 0.27)."""
    after = {"after_connect": hang} if during == "after_connect" else {}
    client = client_in(js, **after)
    provider = hang if during == "the provider" else URL
    connecting = asyncio.ensure_future(client.connect(provider))
    await until_idle()
    if during == "after_connect":
        js.sockets[-1].play_open()
        await until_idle()
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    await end(client, js)
    await until_idle()
    assert [] == console_027


@pytest.mark.parametrize("meanwhile", ["listening", "sending", "receiving"])
async def test_closing(js, console_027, meanwhile):
    """Nor does `close()`, whatever the application is doing."""
    interceptor = ws.WSInterceptor.handlers(
        on_send=hang if meanwhile == "sending" else None,
        on_message=hang if meanwhile == "receiving" else None,
    )
    async with open_client(js, interceptors=[interceptor]) as (client, socket):
        client.stream.listen(hang)
        socket.play_message("x")
        if meanwhile == "sending":
            client.add_nowait("x")
        await until_idle()
    await until_idle()
    assert [] == console_027


async def test_closing_a_client_over_another(console_027):
    """Nor does `close()` of a client that was made with `from_client`."""
    client = ws.WebSocketClient.from_client(WebSocketClientFake())
    await client.connect("ws://anywhere/")
    await client.close()
    await until_idle()
    assert [] == console_027


async def test_cancelling_a_program(console_027):
    """Nor does cancelling a program that `ws.run()` runs."""
    task = run(hang())
    await until_idle()
    task.cancel()
    await until_idle()
    assert task.cancelled()
    assert [] == console_027


async def test_cancelling_a_program_that_has_not_begun(console):
    """Its coroutine is closed, and nothing is shown."""
    program = crash()
    task = run(program)
    task.cancel()
    await until_idle()
    assert task.cancelled()
    assert inspect.CORO_CLOSED == inspect.getcoroutinestate(program)
    assert [] == console
