"""One message on its way through the interceptors.

An interceptor may wait, keep `next` for later, raise, be cancelled, or call the client.
Whatever it does concerns its own message alone: the receipt shows what happened, and
the next message goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ws_common.options.interceptors import DONE, build
from ws_common.send.queued_message import QueuedMessage
from ws_common.send.send_order import SendOrder, current_runner
from ws_common.send.send_target import send_error
from ws_common.vocabulary.errors import WSError, WSSendError
from ws_common.vocabulary.tasks import spawn

_CANCELLED: Final = "something that an on_send interceptor awaited was cancelled"


class InterceptedSend:
    """A call of `add()` or `add_nowait()`, and the `next` of the last interceptor.

    Args:
        order: The order in which the send passes the interceptors.
        data: The message for the first interceptor.
        submit: Sends or queues what the last interceptor hands on.
        receipt: What `add_nowait()` returns; None: a caller waits in `add()`.

    Attributes:
        receipt: As above; None once a message was handed on.
        queued: The messages that were handed on in time and had to be queued.
    """

    __slots__ = (
        "_awaitable",
        "_bounded",
        "_data",
        "_failure",
        "_order",
        "_submit",
        "_waiter",
        "queued",
        "receipt",
    )

    def __init__(
        self,
        order: SendOrder,
        data: Any,
        submit: Callable[..., QueuedMessage | None],
        receipt: QueuedMessage | None = None,
    ) -> None:
        self._order = order
        self._data = data
        self._submit = submit
        self._bounded = receipt is not None
        self._waiter: asyncio.Future[None] | None = None
        self._awaitable: Awaitable[Any] | None = None
        self._failure: WSError | None = None
        self.receipt = receipt
        self.queued: list[QueuedMessage] = []
        order.waiting[self] = None
        if receipt is not None:
            order.open_receipts[receipt] = None

    def __del__(self) -> None:
        """Resolve the receipt: nobody can call `next` any more."""
        # The interceptors hold this object as their `next`. When the last of them lets
        # go of it, the receipt would stay "queued" for ever; a weak reference for each
        # receipt did the same and cost an object more.
        if self.receipt is not None:
            self._order.drop_receipt(self.receipt)

    def __call__(self, data: Any) -> Any:
        """Hand a message on to the connection, or to the queue."""
        self._raise_failure()
        order = self._order
        is_late = self not in order.waiting
        # `on_event` may be called from here for a message that the outbox drops. It is
        # not inside an interceptor, and may send another message.
        running, order.running = order.running, None
        try:
            message = self._submit(
                data,
                bounded=self._bounded or is_late,  # nobody waits in `add()`
                receipt=self.receipt,
            )
        finally:
            order.running = running
        if message is not None and not is_late:
            self.queued.append(message)
        receipt, self.receipt = self.receipt, None
        if receipt is not None:
            order.open_receipts.pop(receipt, None)
            if message is None:
                receipt.resolve("sent")
        return DONE

    def start(self) -> bool:
        """Call the interceptors if it is the turn of this send.

        Returns:
            Whether they are done: none has to be awaited.
        """
        if not self._is_first:
            return False
        try:
            self._call_interceptors()
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            if self._awaitable is None:
                self._order.remove(self)
        return self._awaitable is None

    def wake(self) -> None:
        """Let the send go on if it waits for its place."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def finish(self) -> None:
        """Wait until it is the turn of this send, then for the interceptors.

        Cancelling it cancels what the interceptors await; the next message goes on.

        Raises:
            WSSendError: Something that an interceptor awaited was cancelled.
        """
        try:
            if self._awaitable is None:
                if self._order.failure is None and not self._is_first:
                    self._waiter = asyncio.get_running_loop().create_future()
                    await self._waiter
                self._raise_failure()
                self._call_interceptors()
            if self._awaitable is not None:
                await self._await_interceptors(self._awaitable)
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            self._order.remove(self)

    def finish_later(self, receipt: QueuedMessage) -> None:
        """Run `finish()` in a task; the receipt takes what it raises."""
        task = spawn(self._finish_in_task(receipt), "ws add_nowait")
        self._order.tasks.add(task)
        task.add_done_callback(self._on_task_done)

    @property
    def _is_first(self) -> bool:
        return next(iter(self._order.waiting)) is self

    def _raise_failure(self) -> None:
        """Raise if nothing may be handed on any more."""
        # Without the frames of the last time: the same error is raised again and again.
        failure = self._order.failure or self._failure
        if failure is not None:
            raise failure.with_traceback(None)

    def _call_interceptors(self) -> None:
        """Call the interceptors, and keep in `_awaitable` what has to be awaited."""
        self._order.running = current_runner()
        try:
            result = build(self._order.handlers, self)(self._data)
        except asyncio.CancelledError as error:
            # From `result()` of a cancelled future: no task was asked to stop, and a
            # CancelledError out of `add()` would end the caller silently.
            raise WSSendError(_CANCELLED) from error
        finally:
            self._order.running = None
        if result is not None and result is not DONE and isinstance(result, Awaitable):
            self._awaitable = result

    async def _await_interceptors(self, awaitable: Awaitable[Any]) -> None:
        self._order.running = task = asyncio.current_task()
        try:
            await awaitable
        except asyncio.CancelledError as error:
            # Only `cancelling()` tells a cancelled caller from a cancelled future that
            # an interceptor awaits; both arrive as the same exception.
            if task is None or task.cancelling():
                raise
            raise WSSendError(_CANCELLED) from error
        finally:
            self._order.running = None

    async def _finish_in_task(self, receipt: QueuedMessage) -> None:
        if (task := asyncio.current_task()) is not None:
            # An eager task runs before `spawn()` returns: a client that is closed from
            # inside it would not find it among the tasks to cancel.
            self._order.tasks.add(task)
        try:
            await self.finish()
        except Exception as error:  # noqa: BLE001 - user code: reported, and on
            # A receipt of a message that was sent before cannot show this error.
            if receipt.status != "failed":
                self._order.report("interceptor_raised", error=error)

    def _on_task_done(self, task: "asyncio.Task[None]") -> None:
        self._order.tasks.discard(task)
        # A task that was cancelled before it began has run no `finally`, and the
        # coroutine that it should have awaited would warn "was never awaited".
        if task.cancelled():
            self._fail(asyncio.CancelledError())
            self._order.remove(self)
            if asyncio.iscoroutine(self._awaitable):
                self._awaitable.close()

    def _fail(self, error: BaseException) -> None:
        """Take back what has not been sent, and refuse what is handed on later."""
        self._failure = send_error(error, "an interceptor raised")
        for message in self.queued:
            message.resolve("failed", self._failure)
        if self.receipt is not None:
            self._order.open_receipts.pop(self.receipt, None)
            self.receipt.resolve("failed", self._failure)
