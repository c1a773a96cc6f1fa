"""Sends many messages, with `ws` and by hand; `tests/bench/browser.py` compares.

Both hold back while the buffer is full, and return the seconds until the server has
told that everything is there, as `sending.mjs` does.
"""

import asyncio
import time

import js
from pyodide.ffi import create_proxy, to_js

import ws

FULL = 2**20
"""The bytes in the buffer above which a program should wait, as in `ws`."""


async def ours(url: str, is_text: bool, size: int, count: int) -> float:
    """Do it as the README shows it."""
    message = "x" * size if is_text else b"x" * size
    async with ws.connect(url) as client:
        began = time.perf_counter()
        for _ in range(count):
            await client.add(message)
        await client.recv()
        return time.perf_counter() - began


async def by_hand(url: str, is_text: bool, size: int, count: int) -> float:
    """Do it as tutorials do, except for the send buffer, which they forget."""
    message = "x" * size if is_text else b"x" * size
    socket = js.WebSocket.new(url)
    opened, over = asyncio.Event(), asyncio.Event()
    socket.onopen = on_open = create_proxy(lambda _event: opened.set())
    socket.onmessage = on_message = create_proxy(lambda _event: over.set())
    await opened.wait()
    began = time.perf_counter()
    for _ in range(count):
        socket.send(message if is_text else to_js(message))
        while socket.bufferedAmount > FULL:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.004)
    await over.wait()
    seconds = time.perf_counter() - began
    socket.onmessage = None
    socket.close()
    on_open.destroy()
    on_message.destroy()
    return seconds
