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
from ws_common.send.send_order import InterceptedSends, running_now
from ws_common.send.send_target import send_error
from ws_common.vocabulary.errors import WSError, WSSendError
from ws_common.vocabulary.tasks import spawn

_CANCELLED: Final = "something that an on_send interceptor awaited was cancelled"


class InterceptedSend:
    """One message on its way through the interceptors: the `next` of the last of them.

    Args:
        sends: Those in whose order it goes.
        data: What the first interceptor is given.
        submit: Sends or queues what the last of them hands on.
        receipt: What `add_nowait()` returns; None: a caller waits in `add()`.

    Attributes:
        receipt: As above, until a message is handed on, which is then that one.
        queued: What was handed on in time and could not be sent at once.
    """

    __slots__ = (
        "_bounded",
        "_data",
        "_failure",
        "_rest",
        "_sends",
        "_submit",
        "_turn",
        "queued",
        "receipt",
    )

    def __init__(
        self,
        sends: InterceptedSends,
        data: Any,
        submit: Callable[..., QueuedMessage | None],
        receipt: QueuedMessage | None = None,
    ) -> None:
        self._sends = sends
        self._data = data
        self._submit = submit
        self._bounded = receipt is not None
        self._turn: asyncio.Future[None] | None = None
        self._rest: Awaitable[Any] | None = None
        self._failure: WSError | None = None
        self.receipt = receipt
        self.queued: list[QueuedMessage] = []
        sends.line[self] = None
        if receipt is not None:
            sends.held[receipt] = None

    def __del__(self) -> None:
        """Say so where nobody can hand the message on any more."""
        if self.receipt is not None:  # wherever the garbage collector runs
            self._sends.let_go(self.receipt)

    def __call__(self, data: Any) -> Any:
        """Hand a message on to the wire, or to the queue."""
        self._check()
        sends = self._sends
        is_late = self not in sends.line
        # `on_event`, called for what the outbox drops, is not inside an interceptor.
        running, sends.running = sends.running, None
        try:
            message = self._submit(
                data,
                bounded=self._bounded or is_late,  # nobody waits for it
                receipt=self.receipt,
            )
        finally:
            sends.running = running
        if message is not None and not is_late:
            self.queued.append(message)
        receipt, self.receipt = self.receipt, None
        if receipt is not None:
            sends.held.pop(receipt, None)
            if message is None:
                receipt.resolve("sent")
        return DONE

    def start(self) -> bool:
        """Pass the interceptors as far as that goes now; whether that is all."""
        if not self._is_first:
            return False
        try:
            self._begin()
        except BaseException as error:
            self._give_up(error)
            raise
        finally:
            if self._rest is None:
                self._sends.leave(self)
        return self._rest is None

    def wake(self) -> None:
        """Let it go on where it waits in line."""
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(None)

    async def finish(self) -> None:
        """Wait in line, and for the interceptors.

        Cancelling it cancels what they await, and the next message goes on.

        Raises:
            WSSendError: Something that they awaited was cancelled.
        """
        try:
            if self._rest is None:
                if self._sends.failure is None and not self._is_first:
                    self._turn = asyncio.get_running_loop().create_future()
                    await self._turn
                self._check()
                self._begin()
            if self._rest is not None:
                await self._end(self._rest)
        except BaseException as error:
            self._give_up(error)
            raise
        finally:
            self._sends.leave(self)

    def finish_later(self, receipt: QueuedMessage) -> None:
        """The same in a task; what is raised goes to the receipt."""
        task = spawn(self._finish_alone(receipt), "ws add_nowait")
        self._sends.tasks.add(task)
        task.add_done_callback(self._ended)

    @property
    def _is_first(self) -> bool:
        return next(iter(self._sends.line)) is self

    def _check(self) -> None:
        """Raise where nothing may be handed on any more."""
        failure = self._sends.failure or self._failure
        if failure is not None:
            raise failure.with_traceback(None)

    def _begin(self) -> None:
        """Call the interceptors; `_rest` is what there is to await."""
        self._sends.running = running_now()
        try:
            result = build(self._sends.handlers, self)(self._data)
        except asyncio.CancelledError as error:  # of a future whose result was asked
            raise WSSendError(_CANCELLED) from error
        finally:
            self._sends.running = None
        if result is not None and result is not DONE and isinstance(result, Awaitable):
            self._rest = result

    async def _end(self, rest: Awaitable[Any]) -> None:
        self._sends.running = task = asyncio.current_task()
        try:
            await rest
        except asyncio.CancelledError as error:
            if task is None or task.cancelling():
                raise
            raise WSSendError(_CANCELLED) from error
        finally:
            self._sends.running = None

    async def _finish_alone(self, receipt: QueuedMessage) -> None:
        if (task := asyncio.current_task()) is not None:
            self._sends.tasks.add(task)  # an eager one is at work before it is returned
        try:
            await self.finish()
        except Exception as error:  # noqa: BLE001 - user code: reported, and on
            if receipt.status != "failed":  # it tells of a message that was sent before
                self._sends.report("interceptor_raised", error=error)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._sends.tasks.discard(task)
        if task.cancelled():  # perhaps before it began
            self._give_up(asyncio.CancelledError())
            self._sends.leave(self)
            if asyncio.iscoroutine(self._rest):
                self._rest.close()

    def _give_up(self, error: BaseException) -> None:
        """Take back what is not sent yet, and hand on nothing more."""
        self._failure = send_error(error, "an interceptor raised")
        for message in self.queued:
            message.resolve("failed", self._failure)
        if self.receipt is not None:
            self._sends.held.pop(self.receipt, None)
            self.receipt.resolve("failed", self._failure)
