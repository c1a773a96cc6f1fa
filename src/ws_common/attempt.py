"""One attempt to connect: from the URL to the last line of `after_connect`.

Everything that can take time is inside `timeout`, and everything that can go wrong
comes out as `Failed`, with an error for people and a cause.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ws_common.causes import Cause
from ws_common.connection import Connection
from ws_common.errors import WSError, WSNotConnectedError, WSTimeoutError
from ws_common.headers import check_headers
from ws_common.options import ConnectContext, Url, WebSocketOptions
from ws_common.outbound import Outbound
from ws_common.sessions import EarlySession, inside_after_connect
from ws_common.transport import Connector, ConnectRequest, Headers
from ws_common.urls import check_url, redact

GRACE = 1.0
"""Seconds that a cancelled `after_connect` has to clean up."""

_NO_HEADERS: Mapping[str, str] = {}


class Failed(Exception):  # noqa: N818 - never leaves the package
    """An attempt failed."""

    def __init__(self, error: WSError, cause: Cause) -> None:
        super().__init__(error)
        self.error = error
        self.cause: Cause = cause


async def run_attempt(
    connection: Connection,
    *,
    target: Url,
    context: ConnectContext,
    options: WebSocketOptions,
    connector: Connector,
    outbound: Outbound,
    number: int,
    on_url: Callable[[str], None],
) -> None:
    """Open a connection, or raise `Failed`. Cancelling leaves the caller to abandon.

    Args:
        connection: What is opened: the sink of the transport.
        target: The URL, or what makes one.
        context: What providers are told.
        options: The client's options.
        connector: Opens the transport.
        outbound: The way out, for what `after_connect` sends.
        number: The number that the connection will have.
        on_url: Told the URL that a provider has made.
    """
    url = target if isinstance(target, str) else ""
    stage = "asking the URL provider"
    limit: asyncio.Timeout | None = None
    try:
        async with asyncio.timeout(options.timeout) as limit:
            if not isinstance(target, str):
                url = check_url(await _ask(target, context))
                on_url(url)
            stage = "asking the headers provider"
            headers = await _headers(options, context)
            stage = "connecting"
            request = ConnectRequest(url=url, headers=headers, options=options)
            transport = await connector(request, connection)
            connection.attach(transport, url)
            stage = "after_connect"
            await _after_connect(connection, options, outbound, number)
    except WSError as error:
        failed: Cause = "attempt_failed"
        if stage == "after_connect":
            failed = "after_connect_failed"
        raise Failed(error, failed) from error
    except OSError as error:
        if isinstance(error, TimeoutError) and limit is not None and limit.expired():
            raise _timed_out(url, stage, options.timeout, error) from error
        msg = f"could not connect to {redact(url)}: {error}"
        raise Failed(_chained(msg, error), "attempt_failed") from error
    except Exception as error:
        msg = f"{stage} raised {type(error).__name__}: {error}"
        cause: Cause = "attempt_failed"
        if stage == "after_connect":
            cause = "after_connect_failed"
        raise Failed(_chained(msg, error), cause) from error


def _timed_out(
    url: str, stage: str, timeout: float | None, error: TimeoutError
) -> Failed:
    seconds = f"{timeout:g} s" if timeout is not None else "the time given"
    msg = f"no connection to {redact(url) or '?'} within {seconds} (while {stage})"
    raised = WSTimeoutError(msg)
    raised.__cause__ = error
    return Failed(raised, "attempt_timeout")


def _chained(message: str, error: BaseException) -> WSNotConnectedError:
    raised = WSNotConnectedError(message)
    raised.__cause__ = error
    return raised


async def _ask(
    provider: Callable[[ConnectContext], Any], context: ConnectContext
) -> Any:
    answer = provider(context)
    return await answer if isinstance(answer, Awaitable) else answer


async def _headers(options: WebSocketOptions, context: ConnectContext) -> Headers:
    headers = options.headers
    if headers is None:
        return _NO_HEADERS
    if callable(headers):
        return check_headers(await _ask(headers, context))
    return headers


async def _after_connect(
    connection: Connection,
    options: WebSocketOptions,
    outbound: Outbound,
    number: int,
) -> None:
    """Run `after_connect`; a connection that ends meanwhile ends it too."""
    callback = options.after_connect
    if callback is None:
        return
    session = EarlySession(connection, outbound, number)

    async def run() -> None:
        inside_after_connect.set(True)
        result = callback(session)
        if isinstance(result, Awaitable):
            await result

    task = asyncio.get_running_loop().create_task(run(), name="ws after_connect")
    try:
        await asyncio.wait(
            {task, connection.final}, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        if not task.done():
            task.cancel()
            # A callback that swallows its cancellation must not outlive `timeout`.
            await asyncio.wait({task}, timeout=GRACE)
    if connection.ended is not None:
        raise connection.closed_error()
    task.result()
