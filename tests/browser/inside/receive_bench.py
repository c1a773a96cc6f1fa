"""Receives many messages, with `ws` and by hand; `tests/bench/browser.py` compares.

Both ask for so many bursts, one after another, and return the seconds from the first
message of each to its last, as `receiving.mjs` does.
"""

import asyncio
import time

import js
from pyodide.ffi import create_proxy

import ws


async def ours(url: str, bursts: int, count: int) -> float:
    """Do it as the README shows it."""
    seconds, size = 0.0, 0
    async with ws.connect(url) as client:
        for _ in range(bursts):
            began, left = 0.0, count
            await client.add("begin")
            async for message in client:
                began = began or time.perf_counter()
                size += len(message)
                left -= 1
                if not left:
                    break
            seconds += time.perf_counter() - began
    return seconds


async def by_hand(url: str, bursts: int, count: int) -> float:
    """Do it as tutorials do, in ten lines: with an event handler and a queue."""
    socket = js.WebSocket.new(url)
    socket.binaryType = "arraybuffer"
    opened, queue = asyncio.Event(), asyncio.Queue()

    def on_message(event):
        data = event.data
        queue.put_nowait(data if isinstance(data, str) else data.to_bytes())

    socket.onopen = on_open = create_proxy(lambda _event: opened.set())
    socket.onmessage = handler = create_proxy(on_message)
    await opened.wait()
    seconds, size = 0.0, 0
    for _ in range(bursts):
        began, left = 0.0, count
        socket.send("begin")
        while left:
            message = await queue.get()
            began = began or time.perf_counter()
            size += len(message)
            left -= 1
        seconds += time.perf_counter() - began
    socket.onmessage = None
    socket.close()
    on_open.destroy()
    handler.destroy()
    return seconds
