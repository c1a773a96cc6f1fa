"""Clients over a `FakeConnector`, and checks of what they leave behind."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from typing import Any

from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle
from ws_common.client import WebSocketClient
from ws_common.options import platform as platforms
from ws_common.options.backoff import ConnectionRetryInterval
from ws_common.options.options import WebSocketOptions

URL = "ws://host/"
OTHER = "ws://other/"


def every(seconds: float = 1, **how: Any) -> dict[str, Any]:
    """Options that retry every so many seconds."""
    interval = ConnectionRetryInterval(min=seconds, max=seconds, **how)
    return {"connection_retry_interval": interval}


@contextlib.asynccontextmanager
async def driven(
    connector: FakeConnector, **options: Any
) -> AsyncIterator[WebSocketClient]:
    """Make a client. At the end it is aborted, and must leave nothing behind."""
    client = WebSocketClient(connector.options(**options))
    try:
        yield client
    finally:
        await abort(client)
        await until_idle()
    assert connector.sockets == []
    assert leftovers() == []


@contextlib.asynccontextmanager
async def opened(
    connector: FakeConnector, **options: Any
) -> AsyncIterator[tuple[WebSocketClient, Any]]:
    """Make a connected client; return it and its transport."""
    async with driven(connector, **options) as client:
        asked = begin(client.connect(URL))
        transport = await connector.opened()
        await asked
        yield client, transport


@contextlib.asynccontextmanager
async def driven_anywhere(
    connector: FakeConnector, **options: Any
) -> AsyncIterator[WebSocketClient]:
    """Make a client in a page too, where `custom_client` is unknown.

    Its buffers are those of a platform that can pause. Timers of a page cannot be
    listed, so they are not checked.
    """
    real = platforms.current()
    platforms.bind(
        real._replace(
            connector=lambda _: connector,
            stream_capacity=1024,
            stream_max_bytes=None,
            stream_overflow="pause",
        )
    )
    client = WebSocketClient(WebSocketOptions.common(**options))
    platforms.bind(real)
    try:
        yield client
    finally:
        await abort(client)
        await until_idle()
    assert connector.sockets == []


@contextlib.asynccontextmanager
async def opened_anywhere(
    connector: FakeConnector, **options: Any
) -> AsyncIterator[tuple[WebSocketClient, Any]]:
    """Make a connected client; return it and its transport."""
    async with driven_anywhere(connector, **options) as client:
        asked = begin(client.connect(URL))
        transport = await connector.opened()
        await asked
        yield client, transport


async def abort(client: WebSocketClient) -> None:
    """Leave `async with client` as a task that is cancelled there does."""
    with contextlib.suppress(asyncio.CancelledError):
        async with client:
            raise asyncio.CancelledError


def begin(work: Awaitable[Any]) -> "asyncio.Future[Any]":
    """Run something at the same time as the test."""
    return asyncio.ensure_future(work)


async def outcome(asked: "asyncio.Future[Any]") -> Any:
    """Return what a call has raised or returned by now, or "waits"."""
    await until_idle()
    if not asked.done():
        return "waits"
    return asked.exception() or asked.result()


def leftovers() -> list[object]:
    """Return the tasks of others, and the timers that would still fire."""
    loop: Any = asyncio.get_running_loop()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    timers = [timer for timer in loop._scheduled if not timer.cancelled()]
    return [*tasks, *timers]


def kinds(client: WebSocketClient) -> list[str]:
    """Return the names of the states in the history of a client."""
    return [type(entry.state).__name__ for entry in client.history]


def causes(client: WebSocketClient) -> list[str]:
    """Return the causes in the history of a client."""
    return [entry.cause for entry in client.history]
