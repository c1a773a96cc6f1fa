"""One send that passes the interceptors.

An interceptor may wait, keep `next` for later, raise, be cancelled, or call the client.
Whatever it does ends with its own message: the receipt says what happened, and the
next message goes on.
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
    """One message on its way through the interceptors: the `next` of the last of them.

    Args:
        order: Those in whose order it goes.
        data: What the first interceptor is given.
        submit: Sends or queues what the last of them hands on.
        receipt: What `add_nowait()` returns; None: a caller waits in `add()`.

    Attributes:
        receipt: As above, until a message is handed on, which is then that one.
        queued: What was handed on in time and could not be sent at once.
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
        """Say so where nobody can hand the message on any more."""
        if self.receipt is not None:  # wherever the garbage collector runs
            self._order.drop_receipt(self.receipt)

    def __call__(self, data: Any) -> Any:
        """Hand a message on to the wire, or to the queue."""
        self._raise_failure()
        order = self._order
        is_late = self not in order.waiting
        # `on_event`, called for what the outbox drops, is not inside an interceptor.
        running, order.running = order.running, None
        try:
            message = self._submit(
                data,
                bounded=self._bounded or is_late,  # nobody waits for it
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
        """Pass the interceptors as far as that goes now; whether that is all."""
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
        """Let it go on where it waits in line."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def finish(self) -> None:
        """Wait in line, and for the interceptors.

        Cancelling it cancels what they await, and the next message goes on.

        Raises:
            WSSendError: Something that they awaited was cancelled.
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
        """The same in a task; what is raised goes to the receipt."""
        task = spawn(self._finish_in_task(receipt), "ws add_nowait")
        self._order.tasks.add(task)
        task.add_done_callback(self._on_task_done)

    @property
    def _is_first(self) -> bool:
        return next(iter(self._order.waiting)) is self

    def _raise_failure(self) -> None:
        """Raise where nothing may be handed on any more."""
        failure = self._order.failure or self._failure
        if failure is not None:
            raise failure.with_traceback(None)

    def _call_interceptors(self) -> None:
        """Call the interceptors; `_awaitable` is what there is to await."""
        self._order.running = current_runner()
        try:
            result = build(self._order.handlers, self)(self._data)
        except asyncio.CancelledError as error:  # of a future whose result was asked
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
            if task is None or task.cancelling():
                raise
            raise WSSendError(_CANCELLED) from error
        finally:
            self._order.running = None

    async def _finish_in_task(self, receipt: QueuedMessage) -> None:
        if (task := asyncio.current_task()) is not None:
            self._order.tasks.add(task)  # an eager one is at work before it is returned
        try:
            await self.finish()
        except Exception as error:  # noqa: BLE001 - user code: reported, and on
            if receipt.status != "failed":  # it tells of a message that was sent before
                self._order.report("interceptor_raised", error=error)

    def _on_task_done(self, task: "asyncio.Task[None]") -> None:
        self._order.tasks.discard(task)
        if task.cancelled():  # perhaps before it began
            self._fail(asyncio.CancelledError())
            self._order.remove(self)
            if asyncio.iscoroutine(self._awaitable):
                self._awaitable.close()

    def _fail(self, error: BaseException) -> None:
        """Take back what is not sent yet, and hand on nothing more."""
        self._failure = send_error(error, "an interceptor raised")
        for message in self.queued:
            message.resolve("failed", self._failure)
        if self.receipt is not None:
            self._order.open_receipts.pop(self.receipt, None)
            self.receipt.resolve("failed", self._failure)
