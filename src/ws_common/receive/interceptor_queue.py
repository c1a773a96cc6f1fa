"""Messages that wait for the interceptors, and the task that takes them through."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from ws_common.options.interceptors import DONE
from ws_common.receive.broadcast import Broadcast
from ws_common.receive.end_marker import End
from ws_common.vocabulary.errors import WSNotConnectedError, WSStreamOverflowError
from ws_common.vocabulary.messages import Data, payload_size
from ws_common.vocabulary.tasks import not_ours, spawn

QUEUE_CAPACITY: Final = 1024
"""Messages that may wait for an interceptor where `stream_capacity` sets no count."""

_NO_QUEUE: Final[deque[Any]] = deque(maxlen=0)
"""The queue of a pipeline in which nothing ever waited; it cannot hold anything."""


class Source(Protocol):
    """What brought a message."""

    def discard(self) -> None:
        """Deliver nothing more."""


class _QueuedCall(NamedTuple):
    """A message, or an action, that waits for its turn.

    Attributes:
        source: What brought the message; None: an action.
        handle: Takes the message through the interceptors, or does the action.
        size: Payload bytes of the message.
    """

    source: Source | None
    handle: Callable[[], Any]
    size: int


class InterceptorQueue:
    """Takes messages through the interceptors, in order.

    Args:
        messages: Hands messages to the subscribers.
        has_interceptors: Whether there are interceptors.
        report: Reports an event.
        on_watermark: Called when `full` has changed.

    Attributes:
        full: Whether too much waits for an interceptor.
    """

    __slots__ = (
        "_messages",
        "_on_watermark",
        "_pending",
        "_queue",
        "_queue_size",
        "_report",
        "_source",
        "_task",
        "full",
    )

    def __init__(
        self,
        messages: Broadcast[Any],
        *,
        has_interceptors: bool,
        report: Callable[..., None],
        on_watermark: Callable[[], None],
    ) -> None:
        self._messages = messages
        self._report = report
        self._on_watermark = on_watermark
        self._queue: deque[_QueuedCall] = deque() if has_interceptors else _NO_QUEUE
        self._queue_size = 0
        self.full = False
        self._task: asyncio.Task[None] | None = None  # while messages have to wait
        self._source: Source | None = None  # whose message is being handled
        self._pending: Awaitable[Any] | None = None  # what the task awaits next

    def intercept(
        self, source: Source, chain: Callable[[Any], Any], batch: Sequence[Data]
    ) -> None:
        """Take messages through the interceptors, behind those that wait there.

        What no `except Exception` catches is raised behind the batch, which it must
        not take with it.
        """
        base_exception: BaseException | None = None
        for index, message in enumerate(batch):
            if self._task is not None:
                self._enqueue(source, chain, batch[index:])
                break
            try:
                self._call_chain(chain, message)
            except BaseException as error:  # noqa: BLE001 - raised below
                base_exception = base_exception or error
                continue
            if self._pending is not None:
                self._enqueue(source, chain, batch[index + 1 :])
                self._start_task(source)
                break
        if base_exception is not None:
            raise base_exception

    def call(self, action: Callable[..., None], *arguments: Any) -> None:
        """Do something in order with the messages: now, if none is under way."""
        if self._task is not None:
            self._queue.append(_QueuedCall(None, partial(action, *arguments), 0))
        else:
            action(*arguments)

    def remove_messages_of(self, source: Source) -> int:
        """Forget what waits of one connection; return how many messages that was."""
        kept = [one for one in self._queue if one.source is not source]
        count = len(self._queue) - len(kept)
        if count:
            self._queue.clear()
            self._queue.extend(kept)
            self._queue_size = sum(one.size for one in kept)
            self._update_full()
        return count

    def discard(self) -> None:
        """Deliver nothing more of what is with an interceptor, or waits for one."""
        waiting = (one.source for one in self._queue)
        for source in dict.fromkeys((self._source, *waiting)):
            if source is not None:
                source.discard()

    def stop(self) -> None:
        """Cancel what is under way; of what waits, the actions are still done."""
        self.discard()
        task, self._task = self._task, None
        while self._queue:
            self._queue.popleft().handle()
        if task is not None:
            task.cancel()
        if asyncio.iscoroutine(self._pending):
            self._pending.close()  # its task has not begun, and never will

    def check_not_in_interceptor(self) -> None:
        """Raise where an interceptor would wait for what waits for it.

        Raises:
            WSNotConnectedError: An `on_message` that is awaited is calling.
        """
        if self._task is not None and asyncio.current_task() is self._task:
            raise WSNotConnectedError(
                "inside on_message this would wait for what on_message is handling: "
                "do it in a task of its own"
            )

    def _call_chain(self, handle: Callable[..., Any], *message: Any) -> None:
        """Call the chain; `_pending` is what is to be awaited, if anything is."""
        try:
            result: Any = handle(*message)
        except Exception as error:  # noqa: BLE001 - user code: reported, and on
            self._report("interceptor_raised", error=error)
            return
        if result is not None and result is not DONE and isinstance(result, Awaitable):
            self._pending = result

    def _start_task(self, source: Source | None) -> None:
        self._source = source
        self._task = spawn(self._process(), "ws receive")
        self._task.add_done_callback(self._task_done)

    async def _process(self) -> None:
        self._task = asyncio.current_task()  # an eager one is not returned yet
        while self._pending is not None or self._queue:
            if self._pending is None:
                self._source, handle, size = self._queue.popleft()
                self._queue_size -= size
                self._update_full()
                if self._source is None:
                    handle()
                else:
                    self._call_chain(handle)
                continue
            pending, self._pending = self._pending, None
            try:
                await pending
            except (asyncio.CancelledError, Exception) as error:  # noqa: BLE001 - user code
                error = not_ours(error, "an interceptor")
                self._report("interceptor_raised", error=error)

    def _task_done(self, task: "asyncio.Task[None]") -> None:
        self._task = self._source = None
        if self._queue and not task.cancelled():
            self._start_task(None)  # something came since, or one message stopped it

    def _enqueue(
        self, source: Source, chain: Callable[[Any], Any], batch: Sequence[Data]
    ) -> None:
        limits = self._messages.limits
        bound = None if limits.can_pause else limits.max_bytes
        for index, message in enumerate(batch):
            size = payload_size(message)
            is_above = bound is not None and self._queue_size + size > bound
            if is_above and self._queue:  # a single message is never too large
                self._drop(len(batch) - index)
                break
            self._queue.append(_QueuedCall(source, partial(chain, message), size))
            self._queue_size += size
        self._update_full()

    def _drop(self, count: int) -> None:
        """Drop what has no room; nobody reads on as if nothing were missing."""
        self._messages.on_drop(count)
        error = WSStreamOverflowError(
            f"an interceptor did not keep up: {len(self._queue)} messages of "
            f"{self._queue_size:,} bytes waited for it, and a browser cannot pause"
        )
        self.call(self._messages.end_current, End(error=error, final=True))

    def _update_full(self) -> None:
        """Say whether the queue holds too much: hysteresis of a quarter."""
        limits = self._messages.limits
        factor = 4 if self.full else 1
        count, size = len(self._queue) * factor, self._queue_size * factor
        max_bytes = limits.max_bytes or float("inf")
        full = count > (limits.capacity or QUEUE_CAPACITY) or size > max_bytes
        if full is not self.full:
            self.full = full
            self._on_watermark()
