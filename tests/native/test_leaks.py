"""A thousand reconnections of one client do not let anything grow."""

import asyncio
import gc
import logging
import sys
import tracemalloc

import pytest

import ws
from tests.support.client_driver import leftovers
from tests.support.resource_counter import descriptors, nothing_left

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="counts descriptors")

TIMES = 1000
WARM_UP = 200
"""Caches, the history and the allocator's arenas are full after so many."""

ALLOWED = 512 * 1024
"""Bytes by which two looks may differ; a leaked connection is several thousand."""

OPTIONS = ws.WebSocketOptions.vm(
    connection_retry_interval=ws.ConnectionRetryInterval(
        min=0.0001, max=0.0001, min_uptime=0
    ),
    proxy=None,
)


async def on_purpose(client: ws.WebSocketClient) -> None:
    await client.reconnect()


async def by_the_server(client: ws.WebSocketClient) -> None:
    opened = client.state_changes.open.subscribe()
    await client.add("abort")
    await anext(opened)


async def by_a_session(client: ws.WebSocketClient) -> None:
    opened = client.state_changes.open.subscribe()
    session = await anext(client.sessions())
    await session.add("close:1012")
    async for _ in session:
        pass
    await anext(opened)


WAYS = (on_purpose, by_the_server, by_a_session)


async def test_nothing_grows(server, caplog):
    """Memory, tasks, timers and descriptors return to their initial values."""
    # pytest keeps every warning of a test, and each loss is one.
    caplog.set_level(logging.ERROR, "ws")
    before = descriptors()
    async with ws.connect(server("/echo", compress=1), OPTIONS) as client:

        async def repeat(times: int) -> None:
            for number in range(times):
                await WAYS[number % len(WAYS)](client)
                if number % 10 == 0:
                    text = f"{number}"
                    await client.add(text)
                    while await client.recv() != text:
                        pass

        async def measure() -> tuple[int, int, int]:
            # Connections that still close, on both sides, are none of ours.
            await settled(client, before)
            return tracemalloc.get_traced_memory()[0], descriptors(), held()

        await repeat(WARM_UP)
        tracemalloc.start()
        try:
            await repeat(TIMES // 10)
            memory, files, others = await measure()
            await repeat(TIMES)
            after = await measure()
        finally:
            tracemalloc.stop()
        assert client.state.connection >= WARM_UP + TIMES
    assert after[0] - memory < ALLOWED
    assert after[1:] == (files, others)
    await nothing_left(before)


async def settled(client: ws.WebSocketClient, before: int) -> None:
    """Wait until the open connection is the only one."""
    for _ in range(5000):
        gc.collect()
        if client.state.is_open and descriptors() <= before + 2:
            return
        await asyncio.sleep(0.001)


def held() -> int:
    """Return the number of tasks, and of timers that would still fire."""
    return len(leftovers())
