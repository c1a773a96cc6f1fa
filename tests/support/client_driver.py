"""Drives a client over a `FakeConnector`, and looks at what it leaves behind."""

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
    """Options that retry at a fixed rhythm."""
    interval = ConnectionRetryInterval(min=seconds, max=seconds, **how)
    return {"connection_retry_interval": interval}


@contextlib.asynccontextmanager
async def driven(
    connector: FakeConnector, **options: Any
) -> AsyncIterator[WebSocketClient]:
    """A client. At the end it is aborted, and must leave nothing behind."""
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
    """The same, connected: the client and its transport."""
    async with driven(connector, **options) as client:
        asked = begin(client.connect(URL))
        transport = await connector.opened()
        await asked
        yield client, transport


@contextlib.asynccontextmanager
async def driven_anywhere(
    connector: FakeConnector, **options: Any
) -> AsyncIterator[WebSocketClient]:
    """A client where `custom_client` is unknown and no timer can be seen: in a page.

    Its buffers are those of a platform that can pause.
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
    """The same, connected: the client and its transport."""
    async with driven_anywhere(connector, **options) as client:
        asked = begin(client.connect(URL))
        transport = await connector.opened()
        await asked
        yield client, transport


async def abort(client: WebSocketClient) -> None:
    """Leave `async with client` as a task does that is cancelled there."""
    with contextlib.suppress(asyncio.CancelledError):
        async with client:
            raise asyncio.CancelledError


def begin(work: Awaitable[Any]) -> "asyncio.Future[Any]":
    """Run something beside the test."""
    return asyncio.ensure_future(work)


async def outcome(asked: "asyncio.Future[Any]") -> Any:
    """What a call has raised by now, or returned, or that it waits."""
    await until_idle()
    if not asked.done():
        return "waits"
    return asked.exception() or asked.result()


def leftovers() -> list[object]:
    """Tasks other than the caller's, and timers that would still fire."""
    loop: Any = asyncio.get_running_loop()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    timers = [timer for timer in loop._scheduled if not timer.cancelled()]
    return [*tasks, *timers]


def kinds(client: WebSocketClient) -> list[str]:
    """The names of the states that a client has gone through."""
    return [type(entry.state).__name__ for entry in client.history]


def causes(client: WebSocketClient) -> list[str]:
    """Why it has."""
    return [entry.cause for entry in client.history]
