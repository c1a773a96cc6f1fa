"""The event loop that a client belongs to."""

import asyncio
import sys

import pytest

from ws_common.vocabulary.client_loop import ClientLoop


class OtherLoop:
    """A loop that is not the running one.

    Attributes:
        calls: What was scheduled in it.
    """

    def __init__(self, *, closed: bool = False) -> None:
        self.calls = []
        self._closed = closed

    def is_closed(self) -> bool:
        return self._closed

    def call_soon_threadsafe(self, action, *arguments) -> None:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        self.calls.append((action, arguments))


async def test_the_first_loop_is_kept():
    """The first check binds the running loop, and later ones return it."""
    client_loop = ClientLoop()

    assert client_loop.check() is asyncio.get_running_loop()
    assert client_loop.loop is asyncio.get_running_loop()
    assert client_loop.check() is asyncio.get_running_loop()


async def test_another_loop():
    """A check in another loop raises, and says what to do."""
    client_loop = ClientLoop()
    client_loop.loop = OtherLoop()

    with pytest.raises(RuntimeError, match="make one client for each loop"):
        client_loop.check()


@pytest.mark.skipif(
    sys.platform == "emscripten", reason="the loop of Pyodide is always running"
)
def test_no_loop():
    """A check without a running loop raises, and binds nothing."""
    client_loop = ClientLoop()

    with pytest.raises(RuntimeError, match="no running event loop"):
        client_loop.check()
    assert client_loop.loop is None


def test_is_closed():
    """A client that was never used has no closed loop."""
    client_loop = ClientLoop()
    assert not client_loop.is_closed

    client_loop.loop = OtherLoop()
    assert not client_loop.is_closed

    client_loop.loop = OtherLoop(closed=True)
    assert client_loop.is_closed


def test_call_without_a_loop():
    """Without a loop the call is made at once."""
    called = []

    ClientLoop().call_threadsafe(called.append, 1)

    assert called == [1]


def test_call_in_the_loop():
    """With a loop the call is scheduled there."""
    called = []
    client_loop = ClientLoop()
    client_loop.loop = OtherLoop()

    client_loop.call_threadsafe(called.append, 1)

    assert called == []
    assert client_loop.loop.calls == [(called.append, (1,))]


def test_call_in_a_closed_loop():
    """A finalizer that runs after the loop was closed raises nothing."""
    called = []
    client_loop = ClientLoop()
    client_loop.loop = OtherLoop(closed=True)

    client_loop.call_threadsafe(called.append, 1)

    assert called == []
