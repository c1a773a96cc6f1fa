"""An exception of a program is shown in the console of its page at once.

Pyodide's loop reports the exception of a task where its own done callback is the only
one. Where there are more it says nothing, and the garbage collector comes late.
"""

import asyncio

import pytest

import ws


class Crash(Exception):  # noqa: N818 - it is one
    """What a program raises."""


class Stop(BaseException):
    """An exception that no `except Exception` catches, like `SystemExit`."""


class Console:
    """The errors that are written to the console of the page."""

    def __init__(self, capsys) -> None:
        self._capsys = capsys
        self._text = ""

    def getvalue(self) -> str:
        """Everything that was written since the beginning of the test."""
        self._text += self._capsys.readouterr().err
        return self._text


@pytest.fixture
def console(capsys):
    """The console. pytest replaces `sys.stderr` in each phase of a test."""
    return Console(capsys)


async def turns(count=20):
    """Run everything that can run without time passing."""
    for _ in range(count):
        await asyncio.sleep(0)


async def crash():
    raise Crash("at once")


async def crash_later():
    await asyncio.sleep(0)
    raise Crash("a little later")


async def crash_connected(url, over):
    try:
        async with ws.connect(url) as client:
            await client.add("hello")
            raise Crash(await client.recv())
    finally:
        over.set()


@pytest.mark.parametrize("main", [crash, crash_later])
async def test_a_program_that_is_not_the_last_expression(console, main):
    """`ws.run()` does not hide a crash if its result is ignored."""
    task = ws.run(main())
    await turns()
    assert isinstance(task.exception(), Crash)
    assert "Crash: a" in console.getvalue()


async def test_a_program_that_was_connected(console, server):
    """The traceback names the line of the program."""
    over = asyncio.Event()
    task = ws.run(crash_connected(server("/echo"), over))
    await over.wait()  # not for the task: whoever waits for it is told
    await turns()
    assert isinstance(task.exception(), Crash)
    assert "Crash: hello" in console.getvalue()
    assert "in crash_connected" in console.getvalue()


async def test_a_crash_is_shown_once(console):
    """The traceback is shown only once."""
    task = ws.run(crash())
    await turns()
    assert isinstance(task.exception(), Crash)
    assert 1 == console.getvalue().count("Crash: at once")


async def test_a_program_that_is_awaited(console):
    """Whoever awaits the task gets the exception, and so does JavaScript."""
    with pytest.raises(Crash):
        await ws.run(crash_later())
    await turns()
    assert "" == console.getvalue()


async def test_a_program_that_is_cancelled(console):
    """A cancellation was asked for, and is no crash."""
    task = ws.run(asyncio.Event().wait())
    await turns()
    task.cancel()
    await turns()
    assert task.cancelled()
    assert "" == console.getvalue()


async def test_a_listener_that_stops(console, server):
    """A BaseException that ends a listener is shown, or reported to `on_event`."""
    events, called = [], asyncio.Event()

    def listener(_):
        called.set()
        raise Stop("the listener")

    options = ws.WebSocketOptions(on_event=events.append)
    async with ws.connect(server("/echo"), options) as client:
        client.stream.listen(listener)
        await client.add("x")
        await called.wait()
        await turns()
        told = " ".join(str(event.details.get("error")) for event in events)
        assert "the listener" in console.getvalue() + told


async def test_an_interceptor_that_stops(console, server):
    """One that ends a send is shown or reported, and the receipt has failed."""
    events = []

    async def on_send(_data, _pass_on):
        await asyncio.sleep(0)
        raise Stop("the interceptor")

    interceptor = ws.WSInterceptor.handlers(on_send=on_send)
    options = ws.WebSocketOptions(on_event=events.append, interceptors=[interceptor])
    async with ws.connect(server("/echo"), options) as client:
        receipt = client.add_nowait("x")
        await turns()
        assert "failed" == receipt.status
        told = " ".join(str(event.details.get("error")) for event in events)
        assert "the interceptor" in console.getvalue() + told


async def test_a_listener_that_crashes(console, server):
    """An `Exception` does not end a listener. It is reported to `on_event`."""
    events = []

    def listener(message):
        raise Crash(message)

    options = ws.WebSocketOptions(on_event=events.append)
    async with ws.connect(server("/echo"), options) as client:
        client.stream.listen(listener)
        heard = client.stream.subscribe()
        for number in range(2):
            await client.add(str(number))
            await anext(heard)
        await turns()
    errors = [event.details.get("error") for event in events]
    assert ["0", "1"] == [str(one) for one in errors if isinstance(one, Crash)]
