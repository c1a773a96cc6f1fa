"""Clients over a `FakeConnector`, for tests that use public names only.

Such tests stay as they are while the inside of the package changes.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import ws
from tests.support.fake_transport import FakeConnector, FakeTransport
from tests.support.idle import until_idle

URL = "ws://host/"
OTHER = "ws://other/"

PATIENCE = 2.0
"""Seconds after which a test takes it that nothing more comes."""


@asynccontextmanager
async def playing(
    connector: FakeConnector, **options: Any
) -> AsyncIterator[ws.WebSocketClient]:
    """Make a client over this connector. At the end it is closed, without waiting."""
    client = ws.WebSocketClient(connector.options(**{"heartbeat": None, **options}))
    try:
        yield client
    finally:
        await abort(client)


@asynccontextmanager
async def connected(
    connector: FakeConnector, **options: Any
) -> AsyncIterator[tuple[ws.WebSocketClient, FakeTransport]]:
    """Make a connected client; return it and its transport."""
    async with playing(connector, **options) as client:
        asked = begin(client.connect(URL))
        transport = await connector.opened()
        await asked
        yield client, transport


async def abort(client: ws.WebSocketClient) -> None:
    """Close at once: a `close()` that is cancelled aborts."""
    closing = begin(client.close())
    await until_idle()
    closing.cancel()
    await asyncio.wait({closing})
    await until_idle()


def begin(work: Awaitable[Any]) -> "asyncio.Future[Any]":
    """Run something at the same time as the test; its exception may be ignored."""
    begun = asyncio.ensure_future(work)
    begun.add_done_callback(lambda done: done.cancelled() or done.exception())
    return begun


async def ended(call: "asyncio.Future[Any]") -> bool:
    """Return whether a call comes to an end, if it is given time."""
    done, _ = await asyncio.wait({call}, timeout=PATIENCE)
    return bool(done)


async def drained(subscriber: AsyncIterator[Any]) -> list[Any]:
    """Return what a subscriber gets, until nothing more comes."""
    found: list[Any] = []
    try:
        while True:
            async with asyncio.timeout(PATIENCE):
                found.append(await anext(subscriber))
    except TimeoutError:
        return found
