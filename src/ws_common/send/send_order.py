"""The order in which sends pass the interceptors: that of the calls, one by one."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import get_ident
from typing import Final, Protocol

from ws_common.options.interceptors import Handler
from ws_common.send.queued_message import QueuedMessage
from ws_common.vocabulary.errors import WSError, WSMessageDroppedError, WSSendError

_INSIDE: Final = (
    "inside on_send would wait for the message that on_send is handling: call next() "
    "more than once, or send from a task of its own"
)


class WaitingSend(Protocol):
    """A send that has a place in the order."""

    def wake(self) -> None:
        """Let the send go on if it waits for its place."""


class SendOrder:
    """A FIFO lock around the interceptors, whose places are taken by calls.

    Args:
        handlers: The `on_send` of each interceptor.
        report: Reports an error that neither a caller nor a receipt will show.
        tasks: Holds the tasks of `add_nowait()`, so that they are not collected.

    Attributes:
        handlers: As above.
        report: As above.
        tasks: As above.
        waiting: The sends that have not passed, in call order; the first may pass.
        open_receipts: The receipts of messages that may still be handed on.
        failure: Why nothing passes any more; None before `fail()`.
        running: The task that is inside an interceptor, or the loop if a callback of
            the loop is; None: nobody is.
    """

    # An `asyncio.Lock` would not do: its places are taken when tasks begin to run, and
    # two tasks need not run in the order in which they were made.

    __slots__ = (
        "_loop",
        "_thread",
        "failure",
        "handlers",
        "open_receipts",
        "report",
        "running",
        "tasks",
        "waiting",
    )

    def __init__(
        self,
        handlers: Sequence[Handler],
        report: Callable[..., None],
        tasks: set["asyncio.Task[None]"],
    ) -> None:
        self.handlers = handlers
        self.report = report
        self.tasks = tasks
        # Ordered dictionaries, not deques: any send may be cancelled, and is taken out
        # without a search however many wait.
        self.waiting: OrderedDict[WaitingSend, None] = OrderedDict()
        self.open_receipts: dict[QueuedMessage, None] = {}
        self.failure: WSError | None = None
        self.running: object = None
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()

    def check_caller(self, method: str) -> None:
        """Raise WSSendError if one of the interceptors is the caller.

        Args:
            method: The method that was called, for the message of the error.
        """
        # By the running task, not by a context variable: a task that an interceptor
        # starts inherits the context, and may well send and wait for its place.
        if self.running is not None and self.running is current_runner():
            raise WSSendError(f"{method}() {_INSIDE}")

    def remove(self, send: WaitingSend) -> None:
        """Take a send out, and let the next one go on. Idempotent."""
        self.waiting.pop(send, None)
        if first := next(iter(self.waiting), None):
            first.wake()

    def fail(self, make_error: Callable[[], WSError]) -> None:
        """Fail every send that has not passed.

        An interceptor that is running goes on, and what it hands on is refused. So one
        that never ends cannot hold up the messages for the next connection.

        Args:
            make_error: Makes the error of each send.
        """
        self.failure = make_error()
        open_receipts, self.open_receipts = self.open_receipts, {}
        for message in open_receipts:
            message.resolve("failed", make_error())
        for send in self.waiting:
            send.wake()

    def drop_receipt(self, receipt: QueuedMessage) -> None:
        """Resolve a receipt whose `next` nobody can call any more. Thread-safe."""
        # Called by a finalizer. The garbage collector runs in whatever thread
        # allocates, and futures may be resolved in the thread of their loop alone.
        if get_ident() == self._thread:
            self.open_receipts.pop(receipt, None)
            error = WSMessageDroppedError("an interceptor did not hand the message on")
            receipt.resolve("dropped", error)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.drop_receipt, receipt)


def current_runner() -> object:
    """Return the running task, or the running loop inside a callback of it."""
    return asyncio.current_task() or asyncio.get_running_loop()
