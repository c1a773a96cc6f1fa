"""The garbage collector may run in any thread, but the client does not."""

import asyncio
import gc
import sys
import threading

import pytest

import ws
from tests.support.client_helpers import until

COUNT, SIZE = 2000, 1000
"""Messages of a flood and their bytes: more than one subscriber takes."""


class Witness(ws.WSInterceptor):
    """Records the threads in which it runs."""

    def __init__(self) -> None:
        self.threads: set[threading.Thread] = set()

    def on_message(self, data, next):
        self.threads.add(threading.current_thread())
        next(data)


@pytest.fixture
def faults(monkeypatch):
    """The errors that finalizers have raised."""
    found: list[str] = []
    monkeypatch.setattr(
        sys, "unraisablehook", lambda told: found.append(repr(told.exc_value))
    )
    return found


@pytest.fixture
async def debugging():
    """The debug mode of asyncio, which checks the calling thread."""
    asyncio.get_running_loop().set_debug(True)


def options(**more) -> ws.WebSocketOptions:
    """Options of a client that does not wait long for a paused socket."""
    return ws.WebSocketOptions.vm(proxy=None, close_timeout=0.1, **more)


def in_a_thread(dropped: list) -> None:
    """Drop the references to these objects in a thread without a loop."""
    thread = threading.Thread(target=lambda: (dropped.clear(), gc.collect()))
    thread.start()
    thread.join()


async def flooded(client: ws.WebSocketClient) -> tuple[list, ws.Subscriber]:
    """Return a subscriber that pauses the socket, in a list, and one that does not."""
    dropped = [client.stream.subscribe(capacity=1)]
    reading = client.stream.subscribe(capacity=10 * COUNT)
    await client.add("begin")
    await until(lambda: client.metrics.received_count > 1)
    return dropped, reading


async def test_interceptors_run_in_the_thread_of_the_loop(server, faults):
    """Messages held back for a dropped subscriber are delivered by the loop."""
    witness = Witness()
    chosen = options(interceptors=[witness])
    url = server("/flood", count=COUNT, size=SIZE, wait=1)
    async with ws.connect(url, chosen) as client:
        dropped, _reading = await flooded(client)
        in_a_thread(dropped)
        await until(lambda: client.metrics.received_count == COUNT)
        assert witness.threads == {threading.current_thread()}
        assert faults == []


@pytest.mark.usefixtures("debugging")
async def test_the_socket_is_read_on_in_debug_mode(server, faults):
    """The other subscriber gets all messages, and nothing is raised."""
    url = server("/flood", count=COUNT, size=SIZE, wait=1)
    async with ws.connect(url, options()) as client:
        dropped, reading = await flooded(client)
        in_a_thread(dropped)
        numbers = []
        try:
            async with asyncio.timeout(1):
                while len(numbers) < COUNT:
                    numbers.append(int(str(await anext(reading)).partition(":")[0]))
        except TimeoutError:
            pass
        assert faults == []
        assert numbers == list(range(COUNT))
