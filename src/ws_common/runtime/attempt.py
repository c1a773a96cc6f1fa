"""One attempt to connect: from the URL to the last line of `after_connect`.

The option `timeout` bounds the whole attempt, and every failure is reported as an
`AttemptFailure`, with an error for people and a cause. The stages run in a task of
their own, so that code that swallows its cancellation, ours or the application's,
cannot make an attempt longer than `timeout`. What such code brings later is freed.
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
from ws_common.runtime.after_connect_session import AfterConnectSession
from ws_common.send.send_queue import SendQueue
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.errors import WSError, WSNotConnectedError, WSTimeoutError
from ws_common.vocabulary.headers import check_headers
from ws_common.vocabulary.tasks import spawn
from ws_common.vocabulary.timers import Timer, call_later
from ws_common.vocabulary.urls import check_url, redact


class AttemptFailure(NamedTuple):
    """Why an attempt failed.

    Attributes:
        error: What is raised and shown to people.
        cause: What the history shows.
    """

    error: WSError
    cause: Cause


OnUrl = Callable[["Attempt", str], None]
OnEnd = Callable[["Attempt", AttemptFailure | None], None]


class Attempt:
    """One attempt: a task that runs its stages, and the timer that bounds it.

    Args:
        connection: The connection that is opened: the sink of the transport.
        target: The URL, or a provider that returns one.
        on_url: Called with the URL that a provider has returned.
        on_end: Called once with how the attempt ended, unless it is cancelled: with
            the failure, or with None if the connection can be opened.

    Attributes:
        connection: The connection that is opened.
        stage: What the attempt is doing, in words for an error message.
        url: The URL; empty until a provider has returned it.
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
        """Begin the attempt.

        Args:
            options: The options of the client.
            connector: Opens the transport.
            send_queue: The send queue, for what `after_connect` sends.
            context: Passed to the providers.
        """
        if options.timeout is not None:
            # A timer, and not `asyncio.timeout()`: that waits until the cancelled code
            # has returned, which code that swallows a cancellation never does.
            self._timer = call_later(options.timeout, self._on_timeout, options.timeout)
        work = self._run(options, connector, send_queue, context)
        self._task = spawn(work, "ws connecting", retrieved=True)
        self._task.add_done_callback(self._on_task_done)

    def cancel(self) -> None:
        """Stop the attempt without reporting an end.

        The caller has abandoned the connection already.
        """
        self._on_end = _ignore_end
        self._report_end(None)
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
            self.url = check_url(await _call_provider(target, context))
            self._on_url(self, self.url)
        self.stage = "asking the headers provider"
        headers = options.headers
        if callable(headers):
            headers = check_headers(await _call_provider(headers, context))
        self.stage = "connecting"
        if connection.is_over:
            # The attempt was given up, and a provider swallowed the cancellation. No
            # socket is opened any more.
            return
        request = ConnectRequest(url=self.url, headers=headers or {}, options=options)
        connection.attach(await connector(request, connection), self.url)
        self.stage = "after_connect"
        await _run_after_connect(connection, options, send_queue)

    def _on_timeout(self, timeout: float) -> None:
        where = f" to {redact(self.url)}" if self.url else ""
        msg = f"no connection{where} within {timeout:g} s (while {self.stage})"
        # The end is reported first. Whatever the cancelled code raises or returns after
        # that, the attempt has failed by its timeout.
        self._report_end(AttemptFailure(WSTimeoutError(msg), "attempt_timeout"))
        self._task.cancel()

    def _on_task_done(self, task: "asyncio.Task[None]") -> None:
        self._report_end(_find_failure(task, self))

    def _report_end(self, failed: AttemptFailure | None) -> None:
        """Call `on_end`, unless that was done before."""
        if self._timer is not None:
            self._timer.cancel()
        on_end, self._on_end = self._on_end, _ignore_end
        if failed is not None:
            self.connection.abandon()
        on_end(self, failed)


def _ignore_end(_attempt: Attempt, _failed: AttemptFailure | None) -> None:
    """Do nothing: the end was reported already, or the attempt was cancelled."""


def _find_failure(
    task: "asyncio.Task[None]", attempt: Attempt
) -> AttemptFailure | None:
    """Return why the task of an attempt failed; None if it did not."""
    stage = attempt.stage
    in_callback = stage == "after_connect"
    cause: Cause = "after_connect_failed" if in_callback else "attempt_failed"
    try:
        task.result()
    except WSError as error:
        # The traceback holds the frames of the attempt, and with them the transport and
        # the messages. The error is kept in the state and in the history.
        return AttemptFailure(error.with_traceback(None), cause)
    except OSError as error:
        connecting = stage == "connecting"
        doing = "could not connect to" if connecting else f"{stage} failed for"
        words = str(error) or type(error).__name__
        msg = f"{doing} {redact(attempt.url) or 'a URL not known yet'}: {words}"
        return AttemptFailure(_make_error(msg, error), cause)
    except asyncio.CancelledError as error:
        # The attempt itself was not cancelled: `cancel()` replaces `on_end`, so this is
        # not seen then. Something that a stage waited for was cancelled by others.
        return AttemptFailure(
            _make_error(f"{stage} failed: what it waited for was cancelled", error),
            cause,
        )
    except BaseException as error:  # noqa: BLE001 - see the next lines
        # SystemExit too, although it also reaches whoever runs the loop: a program that
        # catches it there would find the client Connecting for ever.
        msg = f"{stage} raised {type(error).__name__}: {error}"
        return AttemptFailure(_make_error(msg, error), cause)
    return None


def _make_error(message: str, error: BaseException) -> WSNotConnectedError:
    raised = WSNotConnectedError(message)
    raised.__cause__ = error
    return raised


async def _call_provider(
    provider: Callable[[ConnectContext], object], context: ConnectContext
) -> object:
    # A provider may be a plain function that returns a coroutine, such as a lambda. So
    # its result decides whether to wait, and not whether it was declared `async`.
    answer = provider(context)
    if isinstance(answer, Awaitable):
        return await cast("Awaitable[object]", answer)
    return answer


async def _run_after_connect(
    connection: Connection,
    options: WebSocketOptions,
    send_queue: SendQueue,
) -> None:
    """Run `after_connect`, and stop it if the connection ends first.

    Raises:
        WSConnectionClosedError: The connection has ended.
        Exception: What `after_connect` has raised.
    """
    callback = options.after_connect
    if callback is None:
        return
    session = AfterConnectSession(connection, send_queue)

    async def run() -> None:
        session.activate(send_queue)
        try:
            result = callback(session)
            if isinstance(result, Awaitable):
                await result
        finally:
            session.deactivate()

    # A task of its own: it may wait for something other than its session, and would not
    # notice that the connection has ended. The attempt would last until `timeout`, and
    # its error would be a timeout and not the code of the Close frame.
    task = spawn(run(), "ws after_connect", retrieved=True)
    try:
        await asyncio.wait({task, connection.over}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # Code that swallows this goes on alone: its session raises at each call.
        task.cancel()
    if connection.is_over:
        raise connection.closed_error()
    task.result()
