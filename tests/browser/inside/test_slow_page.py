"""A flood in a page that is too slow for it, where collecting helps most.

What makes the page slow is the program here: it takes its time for each message. More
messages than it can take wait in the browser then, however fast the machine is, and
never as many a second arrive in Python as on a fast machine.
"""

import sys
import time

import pytest

import ws

COUNT = 2000
COST = 0.0004
"""Seconds for which the program works on each message."""


class PendingCalls:
    """Counts the calls of Python by JavaScript for the messages that came.

    Each call has a first frame of its own, which lasts as long as the call.
    """

    def __init__(self) -> None:
        self.count = 0
        self.messages = 0
        self._first = None

    def on_message(self, _message) -> None:
        """Count one message, and work on it."""
        frame = sys._getframe()
        while frame.f_back is not None:
            frame = frame.f_back
        if frame is not self._first:
            self.count += 1
            self._first = frame  # kept, so that no other has its place in memory
        self.messages += 1
        end = time.perf_counter() + COST
        while time.perf_counter() < end:
            pass


async def read(server, calls, **query):
    """Read a flood to its end, in order."""
    interceptor = ws.WSInterceptor.wrap(on_message=calls.on_message)
    options = ws.WebSocketOptions(interceptors=[interceptor])
    url = server("/flood", count=COUNT, wait=1, **query)
    async with ws.connect(url, options) as client:
        await client.add("begin")
        for number in range(COUNT):
            message = await client.recv()
            text = message if isinstance(message, str) else message.decode()
            assert text.partition(":")[0] == str(number)
    assert COUNT == calls.messages


@pytest.mark.parametrize(
    "query", [{"size": 16}, {"size": 3000, "binary": 1}], ids=["text", "binary"]
)
async def test_a_flood_in_a_slow_page(server, query):
    """When Python falls behind, it is called once for many messages."""
    calls = PendingCalls()
    await read(server, calls, **query)
    assert calls.count < COUNT / 4


async def test_no_flood_in_a_slow_page(server):
    """A program that keeps up is called for each message at once."""
    calls = PendingCalls()
    interceptor = ws.WSInterceptor.wrap(on_message=calls.on_message)
    options = ws.WebSocketOptions(interceptors=[interceptor])
    async with ws.connect(server("/echo"), options) as client:
        for number in range(100):
            await client.add(str(number))
            assert str(number) == await client.recv()
    assert 100 == calls.count
