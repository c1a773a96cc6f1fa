"""Sends that pass interceptors one after the other, in the order of the calls."""

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
        """Let it go on where it waits in line."""


class SendOrder:
    """Sends of one order, which pass the interceptors one after the other.

    An `asyncio.Lock` would not do: there a place is taken when a task begins to run,
    and here order is that of the calls.

    Args:
        handlers: The interceptors' `on_send`.
        report: Reports what they raise where neither caller nor receipt tells it.
        tasks: Takes what passes in the background.

    Attributes:
        handlers: As above.
        report: As above.
        tasks: As above.
        waiting: The sends that have not passed, in call order. The first may go, and
            any may be taken out: no operation depends on how many wait.
        open_receipts: The receipts of messages that may still be handed on.
        failure: Why nothing passes any more.
        running: The task that is inside an interceptor, or the loop where it is no
            task. Compared with what runs now: a context variable would not do, as the
            tasks that an interceptor starts inherit it, and they may wait their turn.
    """

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
        self.waiting: OrderedDict[WaitingSend, None] = OrderedDict()
        self.open_receipts: dict[QueuedMessage, None] = {}
        self.failure: WSError | None = None
        self.running: object = None
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()

    def check_caller(self, method: str) -> None:
        """Raise where one of the interceptors has called the code that runs now."""
        if self.running is not None and self.running is current_runner():
            raise WSSendError(f"{method}() {_INSIDE}")

    def remove(self, send: WaitingSend) -> None:
        """Let the next send go on. More than once does no harm."""
        self.waiting.pop(send, None)
        if first := next(iter(self.waiting), None):
            first.wake()

    def fail(self, make_error: Callable[[], WSError]) -> None:
        """Fail all that is on its way. An interceptor that never ends holds up no more.

        What an interceptor awaits goes on, and what it hands on is refused.
        """
        self.failure = make_error()
        open_receipts, self.open_receipts = self.open_receipts, {}
        for message in open_receipts:
            message.resolve("failed", make_error())
        for send in self.waiting:
            send.wake()

    def drop_receipt(self, receipt: QueuedMessage) -> None:
        """Settle a receipt whose `next` nobody can call any more; from any thread."""
        if get_ident() == self._thread:
            self.open_receipts.pop(receipt, None)
            error = WSMessageDroppedError("an interceptor did not hand the message on")
            receipt.resolve("dropped", error)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.drop_receipt, receipt)


def current_runner() -> object:
    """The task that runs, or the loop where a callback does."""
    return asyncio.current_task() or asyncio.get_running_loop()
