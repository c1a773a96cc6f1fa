"""One attempt to connect: from the URL to the last line of `after_connect`.

Everything that can take time is inside `timeout`, and everything that can go wrong
comes out as `Failed`, with an error for people and a cause. The stages run in a task
of their own: code that swallows its cancellation, ours or the application's, cannot
make an attempt longer than `timeout`. What such code brings later is freed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from ws_common.causes import Cause
from ws_common.connection import Connection
from ws_common.errors import WSError, WSNotConnectedError, WSTimeoutError
from ws_common.headers import check_headers
from ws_common.options import (
    ConnectContext,
    Connector,
    ConnectRequest,
    Url,
    WebSocketOptions,
)
from ws_common.outbound import SendQueue
from ws_common.sessions import EarlySession
from ws_common.tasks import spawn
from ws_common.timers import wait
from ws_common.transport import Headers
from ws_common.urls import check_url, redact

_NO_HEADERS: Mapping[str, str] = {}


class Failed(Exception):  # noqa: N818 - never leaves the package
    """An attempt failed."""

    def __init__(self, error: WSError, cause: Cause) -> None:
        super().__init__(error)
        self.error = error
        self.cause: Cause = cause


class _Stages:
    """How far an attempt is.

    Attributes:
        stage: What it is doing, in words.
        url: Where it goes; empty until a provider has answered.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.stage = "connecting"


async def run_attempt(
    connection: Connection,
    *,
    target: Url,
    context: ConnectContext,
    options: WebSocketOptions,
    connector: Connector,
    outbound: SendQueue,
    on_url: Callable[[str], None],
) -> None:
    """Open a connection, or abandon it and raise `Failed`. Cancelling abandons it.

    Args:
        connection: What is opened: the sink of the transport.
        target: The URL, or what makes one.
        context: What providers are told.
        options: The client's options.
        connector: Opens the transport.
        outbound: The send queue, for what `after_connect` sends.
        on_url: Told the URL that a provider has made.
    """
    stages = _Stages(target if isinstance(target, str) else "")

    async def run() -> None:
        if not isinstance(target, str):
            stages.stage = "asking the URL provider"
            stages.url = check_url(await _ask(target, context))
            on_url(stages.url)
        stages.stage = "asking the headers provider"
        headers = await _headers(options, context)
        stages.stage = "connecting"
        if connection.is_over:
            return  # given up while a provider would not be cancelled
        request = ConnectRequest(url=stages.url, headers=headers, options=options)
        connection.attach(await connector(request, connection), stages.url)
        stages.stage = "after_connect"
        await _after_connect(connection, options, outbound)

    task = spawn(run(), "ws connecting", asked=True)
    try:
        await wait(task, options.timeout)
        _raise_failure(task, stages, options.timeout)
    except BaseException:
        connection.abandon()
        raise
    finally:
        task.cancel()


def _raise_failure(
    task: "asyncio.Task[None]", stages: _Stages, timeout: float | None
) -> None:
    if not task.done():
        raise _timed_out(stages, timeout)
    cause: Cause = "attempt_failed"
    if stages.stage == "after_connect":
        cause = "after_connect_failed"
    try:
        task.result()
    except WSError as error:
        raise Failed(error.with_traceback(None), cause) from error
    except OSError as error:
        doing = "could not connect to"
        if stages.stage != "connecting":
            doing = f"{stages.stage} failed for"
        words = str(error) or type(error).__name__
        msg = f"{doing} {redact(stages.url) or 'a URL not known yet'}: {words}"
        raise Failed(_chained(msg, error), cause) from error
    except asyncio.CancelledError as error:
        # Nobody cancelled us: something that a stage waited for was cancelled.
        msg = f"{stages.stage} was cancelled from inside"
        raise Failed(_chained(msg, error), cause) from error
    except BaseException as error:
        # Whatever it is, whoever waits for the connection must not wait for ever.
        msg = f"{stages.stage} raised {type(error).__name__}: {error}"
        raise Failed(_chained(msg, error), cause) from error


def _timed_out(stages: _Stages, timeout: float | None) -> Failed:
    within = f"{timeout:g} s" if timeout is not None else "the time given"
    where = f" to {redact(stages.url)}" if stages.url else ""
    msg = f"no connection{where} within {within} (while {stages.stage})"
    return Failed(WSTimeoutError(msg), "attempt_timeout")


def _chained(message: str, error: BaseException) -> WSNotConnectedError:
    raised = WSNotConnectedError(message)
    raised.__cause__ = error
    return raised


async def _ask(
    provider: Callable[[ConnectContext], object], context: ConnectContext
) -> object:
    answer = provider(context)
    if isinstance(answer, Awaitable):
        return await cast("Awaitable[object]", answer)
    return answer


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
    outbound: SendQueue,
) -> None:
    """Run `after_connect`; a connection that ends meanwhile ends it too."""
    callback = options.after_connect
    if callback is None:
        return
    session = EarlySession(connection, outbound)

    async def run() -> None:
        session.enter(outbound)
        try:
            result = callback(session)
            if isinstance(result, Awaitable):
                await result
        finally:
            session.leave()

    task = spawn(run(), "ws after_connect", asked=True)
    try:
        await asyncio.wait({task, connection.over}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # One that swallows this is left alone: its session is of no use any more.
        task.cancel()
    if connection.is_over:
        raise connection.closed_error()
    task.result()
