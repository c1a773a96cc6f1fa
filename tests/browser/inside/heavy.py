"""Heavy use of one page. `test_heavy.py` measures the memory that is left in use."""

import asyncio
import gc
from typing import Any

import ws

AT_ONCE = 5
"""Connections open at a time; Chromium delays the next ones where many are pending."""

WINDOW = 200
"""Messages in progress. Bursts are tested elsewhere."""

PATIENCE = 60.0
"""Seconds for the last timer."""

FEW = 5
"""Timers of the waiting itself."""

SHORT: dict[str, Any] = {"timeout": 3.0, "close_timeout": 3.0, "heartbeat": None}
"""Seconds until cancelled timers are gone, which a run has to wait for."""


async def connections(url: str, count: int) -> int:
    """Open connections, close each after one message, and count those that answered."""
    answers = 0

    async def some(number: int) -> None:
        nonlocal answers
        for _ in range(number):
            async with ws.connect(url, ws.WebSocketOptions.common(**SHORT)) as client:
                await client.add("hello")
                answer = await client.recv()
                answers += answer == "hello"

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(some(count // AT_ONCE))
    return answers


async def reconnections(url: str, count: int) -> int:
    """Reset the connection of one client repeatedly, and count its reconnections."""
    interval = ws.ConnectionRetryInterval(
        min=0.001, max=0.001, min_uptime=0, retry_if=lambda _context: True
    )
    options = ws.WebSocketOptions.common(connection_retry_interval=interval, **SHORT)
    async with ws.connect(url, options) as client:
        sessions = client.sessions()
        for _ in range(count):
            await (await anext(sessions)).add("abort")
        await anext(sessions)
        return client.metrics.reconnects_successful


async def messages(url: str, count: int, kind: str) -> int:
    """Send messages of 1 KiB, and count those that came back unchanged."""
    options = ws.WebSocketOptions.js(use_blob_for_binary=kind == "blob", **SHORT)
    payload = "x" * 1024 if kind == "text" else bytes(range(256)) * 4
    same = 0
    async with ws.connect(url, options) as client:
        room = asyncio.Semaphore(WINDOW)

        async def send() -> None:
            for _ in range(count):
                await room.acquire()
                await client.add(payload)

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            async for message in client:
                same += message == payload
                room.release()
                if same == count:
                    break
    return same


async def flood(url: str, count: int) -> str:
    """Subscribe without reading, and return what the subscriber gets in the end."""
    async with ws.connect(url) as client:
        subscriber = client.stream.subscribe()
        other = client.stream.subscribe()
        seen = 0
        await client.add("begin")
        async for _ in other:
            seen += 1
            if seen == count:
                break
        try:
            async for _ in subscriber:
                pass
        except ws.WSStreamOverflowError:
            return f"WSStreamOverflowError, {seen} seen by another"
    return "nothing"


async def objects() -> int:
    """Count all objects after a garbage collection.

    Pyodide's loop keeps a timer that was cancelled until it would have been due.
    """
    async with asyncio.timeout(PATIENCE):
        while True:
            gc.collect()
            there = gc.get_objects()
            late = sum(isinstance(one, asyncio.Handle) for one in there)
            count = len(there)
            del there
            if late <= FEW:
                return count
            await asyncio.sleep(0.5)
