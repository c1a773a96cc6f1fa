"""Plays the network of a client by hand, and knows nothing of what is inside it.

What is told of a client in a test that uses this is public, so that such a test stays
as it is while the inside changes.
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
"""Seconds after which something has not come."""


@asynccontextmanager
async def playing(
    connector: FakeConnector, **options: Any
) -> AsyncIterator[ws.WebSocketClient]:
    """A client over this connector. At the end it is closed, without waiting."""
    client = ws.WebSocketClient(connector.options(**{"heartbeat": None, **options}))
    try:
        yield client
    finally:
        await abort(client)


@asynccontextmanager
async def connected(
    connector: FakeConnector, **options: Any
) -> AsyncIterator[tuple[ws.WebSocketClient, FakeTransport]]:
    """The same, connected: the client and its transport."""
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
    """Run something beside the test, which need not ask how it ended."""
    begun = asyncio.ensure_future(work)
    begun.add_done_callback(lambda done: done.cancelled() or done.exception())
    return begun


async def ended(call: "asyncio.Future[Any]") -> bool:
    """Whether a call comes to an end, if it is given time."""
    done, _ = await asyncio.wait({call}, timeout=PATIENCE)
    return bool(done)


async def drained(subscriber: AsyncIterator[Any]) -> list[Any]:
    """What a subscriber gets, until nothing more comes."""
    found: list[Any] = []
    try:
        while True:
            async with asyncio.timeout(PATIENCE):
                found.append(await anext(subscriber))
    except TimeoutError:
        return found
