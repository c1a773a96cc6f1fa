"""One attempt to connect: from the URL to the last line of `after_connect`.

Everything that can take time is inside `timeout`, and everything that can go wrong
comes out as `Failed`, with an error for people and a cause. The stages run in a task
of their own: code that swallows its cancellation, ours or the application's, cannot
make an attempt longer than `timeout`. What such code brings later is freed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, cast

from ws_common.connection.connection import Connection
from ws_common.options.options import (
    ConnectContext,
    Connector,
    ConnectRequest,
    Url,
    WebSocketOptions,
)
from ws_common.runtime.sessions import AfterConnectSession
from ws_common.send.send_queue import SendQueue
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.errors import WSError, WSNotConnectedError, WSTimeoutError
from ws_common.vocabulary.headers import check_headers
from ws_common.vocabulary.tasks import spawn
from ws_common.vocabulary.timers import Timer, call_later
from ws_common.vocabulary.urls import check_url, redact


class Failed(NamedTuple):
    """What made an attempt fail, for people, and the cause."""

    error: WSError
    cause: Cause


OnUrl = Callable[["Attempt", str], None]
OnEnd = Callable[["Attempt", Failed | None], None]


class Attempt:
    """One attempt: a task that runs its stages, and the time that it may take.

    Args:
        connection: What is opened: the sink of the transport.
        target: The URL, or what makes one.
        on_url: Told the URL that a provider has made.
        on_end: Told once how it has ended, unless it is cancelled: with what made
            it fail, or None where the connection can be opened.

    Attributes:
        connection: The same.
        stage: What it is doing, in words.
        url: Where it goes; empty until a provider has answered.
    """

    __slots__ = (
        "_on_end",
        "_on_url",
        "_target",
        "_task",
        "_timer",
        "connection",
        "stage",
        "url",
    )

    _task: "asyncio.Task[None]"

    def __init__(
        self,
        connection: Connection,
        target: Url,
        on_url: OnUrl,
        on_end: OnEnd,
    ) -> None:
        self.connection = connection
        self.url = target if isinstance(target, str) else ""
        self.stage = "connecting"
        self._target = target
        self._on_url = on_url
        self._on_end = on_end
        self._timer: Timer | None = None

    def start(
        self,
        options: WebSocketOptions,
        connector: Connector,
        send_queue: SendQueue,
        context: ConnectContext,
    ) -> None:
        """Begin.

        Args:
            options: The client's options.
            connector: Opens the transport.
            send_queue: The send queue, for what `after_connect` sends.
            context: What providers are told.
        """
        if options.timeout is not None:
            self._timer = call_later(options.timeout, self._too_late, options.timeout)
        work = self._run(options, connector, send_queue, context)
        self._task = spawn(work, "ws connecting", retrieved=True)
        self._task.add_done_callback(self._done)

    def cancel(self) -> None:
        """Stop it, and tell nobody. Its connection is abandoned already."""
        self._on_end = _ignore
        self._finish(None)
        self._task.cancel()

    async def _run(
        self,
        options: WebSocketOptions,
        connector: Connector,
        send_queue: SendQueue,
        context: ConnectContext,
    ) -> None:
        target, connection = self._target, self.connection
        if not isinstance(target, str):
            self.stage = "asking the URL provider"
            self.url = check_url(await _ask(target, context))
            self._on_url(self, self.url)
        self.stage = "asking the headers provider"
        headers = options.headers
        if callable(headers):
            headers = check_headers(await _ask(headers, context))
        self.stage = "connecting"
        if connection.is_over:
            return  # given up while a provider would not be cancelled
        request = ConnectRequest(url=self.url, headers=headers or {}, options=options)
        connection.attach(await connector(request, connection), self.url)
        self.stage = "after_connect"
        await _after_connect(connection, options, send_queue)

    def _too_late(self, timeout: float) -> None:
        where = f" to {redact(self.url)}" if self.url else ""
        msg = f"no connection{where} within {timeout:g} s (while {self.stage})"
        self._finish(Failed(WSTimeoutError(msg), "attempt_timeout"))
        self._task.cancel()

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._finish(_failure(task, self))

    def _finish(self, failed: Failed | None) -> None:
        """Tell whoever wants to know it, once."""
        if self._timer is not None:
            self._timer.cancel()
        on_end, self._on_end = self._on_end, _ignore
        if failed is not None:
            self.connection.abandon()
        on_end(self, failed)


def _ignore(_attempt: Attempt, _failed: Failed | None) -> None:
    """What happens where the end is told already, or nobody wants to know it."""


def _failure(task: "asyncio.Task[None]", attempt: Attempt) -> Failed | None:
    """What made an attempt fail, in words; None: nothing did."""
    stage = attempt.stage
    in_callback = stage == "after_connect"
    cause: Cause = "after_connect_failed" if in_callback else "attempt_failed"
    try:
        task.result()
    except WSError as error:
        return Failed(error.with_traceback(None), cause)
    except OSError as error:
        connecting = stage == "connecting"
        doing = "could not connect to" if connecting else f"{stage} failed for"
        words = str(error) or type(error).__name__
        msg = f"{doing} {redact(attempt.url) or 'a URL not known yet'}: {words}"
        return Failed(_chained(msg, error), cause)
    except asyncio.CancelledError as error:
        # Nobody cancelled us: something that a stage waited for was cancelled.
        return Failed(_chained(f"{stage} was cancelled from inside", error), cause)
    except BaseException as error:  # noqa: BLE001 - or `connect()` would wait for ever
        msg = f"{stage} raised {type(error).__name__}: {error}"
        return Failed(_chained(msg, error), cause)
    return None


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


async def _after_connect(
    connection: Connection,
    options: WebSocketOptions,
    send_queue: SendQueue,
) -> None:
    """Run `after_connect`; a connection that ends meanwhile ends it too."""
    callback = options.after_connect
    if callback is None:
        return
    session = AfterConnectSession(connection, send_queue)

    async def run() -> None:
        session.enter(send_queue)
        try:
            result = callback(session)
            if isinstance(result, Awaitable):
                await result
        finally:
            session.leave()

    task = spawn(run(), "ws after_connect", retrieved=True)
    try:
        await asyncio.wait({task, connection.over}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # One that swallows this is left alone: its session is of no use any more.
        task.cancel()
    if connection.is_over:
        raise connection.closed_error()
    task.result()
