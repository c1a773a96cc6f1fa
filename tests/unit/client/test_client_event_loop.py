"""A client belongs to its loop: calls from other loops raise at once."""

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import ws
from tests.support.fake_network import URL, begin, connected, ended
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

BRIEFLY = 0.2
"""Seconds of real time in which another loop finds out that a call hangs."""


def elsewhere(call: Callable[[], Awaitable[Any]]) -> BaseException | None:
    """What a call raises in the loop of another thread; TimeoutError if it hangs."""
    raised: list[BaseException] = []

    async def attempt() -> None:
        async with asyncio.timeout(BRIEFLY):
            await call()

    def run() -> None:
        try:
            asyncio.run(attempt())
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return raised[0] if raised else None


async def read_first(client: ws.WebSocketClient) -> object:
    """The first message of an iteration."""
    async for message in client.stream:
        return message
    return None


async def read_second_session(client: ws.WebSocketClient) -> object:
    """The second session: the first is there already."""
    sessions = client.sessions()
    await anext(sessions)
    return await anext(sessions)


CALLS = {
    "recv": lambda client: client.recv(),
    "first": lambda client: client.stream.first(),
    "iteration": read_first,
    "wait_closed": lambda client: client.wait_closed(),
    "states": lambda client: client.state_changes.first(),
    "sessions": read_second_session,
    "close": lambda client: client.close(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_a_call_from_another_loop(call):
    """It raises at once and names the reason, and the client is as it was."""
    async with connected(FakeConnector()) as (client, wire):
        error = elsewhere(lambda: call(client))
        assert isinstance(error, RuntimeError)
        assert "event loop" in str(error)
        assert client.state.is_open
        receiving = begin(client.recv())
        await until_idle()
        wire.message("hello")
        assert await ended(receiving)
        assert receiving.result() == "hello"


class ForeignClient:
    """A client in a loop of its own, and what is left of it outside."""

    def __init__(self) -> None:
        self.connector = FakeConnector()
        self.loop = asyncio.new_event_loop()
        options = self.connector.options(heartbeat=ws.Heartbeat(5, 5))
        self.client = ws.WebSocketClient(options)
        self.loop.run_until_complete(self._connect())

    async def _connect(self) -> None:
        asked = begin(self.client.connect(URL))
        self.wire = await self.connector.opened()
        await asked

    async def _abort(self) -> None:
        closing = begin(self.client.close())
        await until_idle()
        closing.cancel()
        await until_idle()

    def end(self, *, close: bool = True) -> None:
        """End the loop, and before that (if told so) the client."""
        if close:
            self.loop.run_until_complete(self._abort())
        self.loop.close()


@pytest.fixture
def foreign():
    """A client that is open while its loop does not run."""
    made = ForeignClient()
    yield made
    if not made.loop.is_closed():
        made.end()


def test_close_after_the_loop(foreign):
    """It raises each time, and the state stays as it was."""
    foreign.end(close=False)
    for _ in range(2):
        error = elsewhere(foreign.client.close)
        assert isinstance(error, RuntimeError)
        assert foreign.client.state.is_open


def test_metrics_outside_the_loop(foreign):
    """A snapshot can be taken anywhere, while the client is open too."""
    metrics = foreign.client.metrics
    assert metrics.ready_state is ws.WebSocketReadyState.OPEN
    assert metrics.uptime >= 0


def test_metrics_in_another_thread(foreign):
    """No running loop is needed: the thread of an exporter has none."""
    taken: list[object] = []

    def take() -> None:
        try:
            taken.append(foreign.client.metrics)
        except RuntimeError as error:
            taken.append(error)

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    if isinstance(taken[0], RuntimeError):
        raise taken[0]
    assert isinstance(taken[0], ws.WebSocketMetrics)


def test_a_subscriber_that_is_closed_after_the_loop(foreign):
    """The connection that it paused is gone with the loop."""

    async def fill() -> ws.Subscriber:
        subscriber = foreign.client.stream.subscribe(capacity=1)
        for message in ("a", "b", "c"):
            foreign.wire.message(message)
        assert foreign.wire.paused
        return subscriber

    subscriber = foreign.loop.run_until_complete(fill())
    foreign.end(close=False)
    subscriber.close()
    gc.collect()
