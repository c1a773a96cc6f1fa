"""An exception that stops the handling of a batch loses only its own message.

Where very many come, a page's messages reach the client many at a time. Something may
be raised for one of them that no `except Exception` catches: `KeyboardInterrupt` of a
program that is stopped by hand, `SystemExit`, Pyodide's own. The rest of what came with
that message is delivered all the same, or at least counted.
"""

import asyncio
import contextlib
import itertools

import pytest

import ws
from tests.support.idle import until_idle
from tests.unit.fake_page import open_client

pytestmark = pytest.mark.looptime

GAP = 1 / 20_000
"""Seconds between two messages of a flood."""

BEFORE, TOGETHER = 2000, 50
"""How many messages arrive one by one, and how many then at the same time."""


class Stop(BaseException):
    """An exception that `except Exception` does not catch."""


class Flood:
    """A flood of numbered messages into a client that reads them.

    Args:
        socket: Where they come from.

    Attributes:
        sent: How many have come.
    """

    def __init__(self, socket) -> None:
        self.sent = 0
        self._socket = socket

    async def begin(self) -> None:
        """Send so many messages so fast that a page collects them into batches."""
        for _ in range(BEFORE):
            await asyncio.sleep(GAP)
            self.play()

    def play(self) -> None:
        """Let one message arrive. By itself, its error is raised to the browser."""
        with contextlib.suppress(Stop):
            self._socket.play_message(str(self.sent))
        self.sent += 1


def lost(flood, client, received) -> int:
    """Return how many messages were neither received nor counted as dropped."""
    return flood.sent - len(received) - client.metrics.dropped_count


@pytest.fixture
async def told():
    """Collect what the exception handler of the loop is called with."""
    loop, contexts = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: contexts.append(context))
    yield contexts
    loop.set_exception_handler(None)


def stopping(at):
    """Make an interceptor that raises for these messages."""

    def on_message(data, pass_on):
        if int(data) in at:
            raise Stop
        pass_on(data)

    return ws.WSInterceptor.handlers(on_message=on_message)


async def listen(client, received):
    """Append every message to a list, until the client is closed."""
    async for message in client.stream:
        received.append(message)


@contextlib.asynccontextmanager
async def flooded(js, **options):
    """Yield a client that reads a flood, the flood, and what was received."""
    received = []
    async with open_client(js, **options) as (client, socket):
        reading = asyncio.ensure_future(listen(client, received))
        flood = Flood(socket)
        await flood.begin()
        yield client, flood, received
    await reading


@pytest.mark.parametrize("place", [0, 20, TOGETHER - 2], ids=["first", "one", "last"])
async def test_stopped_while_many_come(js, told, place):
    """Only the message that was stopped is missing."""
    stopped = BEFORE + place
    interceptors = [stopping({stopped})]
    async with flooded(js, interceptors=interceptors) as (client, flood, received):
        for _ in range(TOGETHER):
            flood.play()
        await asyncio.sleep(1)
        assert lost(flood, client, received) <= 1


async def test_stopped_again_and_again(js, told):
    """The same if many messages of a batch raise."""
    stopped = set(range(BEFORE, BEFORE + TOGETHER, 7))
    interceptors = [stopping(stopped)]
    async with flooded(js, interceptors=interceptors) as (client, flood, received):
        for _ in range(TOGETHER):
            flood.play()
        await asyncio.sleep(1)
        assert lost(flood, client, received) <= len(stopped)


async def test_stopped_at_the_end(js, told):
    """The same if the connection ends right after the batch."""
    stopped = BEFORE + 20
    interceptors = [stopping({stopped})]
    async with flooded(js, interceptors=interceptors) as (client, flood, received):
        for _ in range(TOGETHER):
            flood.play()
        with contextlib.suppress(Stop):
            js.sockets[-1].play_close(1000)
        await until_idle()
        await asyncio.sleep(1)
        assert lost(flood, client, received) <= 1


async def test_stopped_one_by_one(js):
    """The same if the messages arrive one by one."""
    interceptors = [stopping({5})]
    received = []
    async with open_client(js, interceptors=interceptors) as (client, socket):
        reading = asyncio.ensure_future(listen(client, received))
        await until_idle()
        flood = Flood(socket)
        for _ in range(10):
            flood.play()
        await until_idle()
        assert lost(flood, client, received) <= 1
    await reading


async def test_order(js, told):
    """Messages are delivered in order, whatever was stopped in between."""
    interceptors = [stopping(set(range(BEFORE, BEFORE + TOGETHER, 7)))]
    async with flooded(js, interceptors=interceptors) as (_, flood, received):
        for _ in range(TOGETHER):
            flood.play()
        await asyncio.sleep(1)
        flood.play()
        await asyncio.sleep(1)
    numbers = list(map(int, received))
    assert all(one < other for one, other in itertools.pairwise(numbers))
    assert flood.sent - 1 == numbers[-1]
