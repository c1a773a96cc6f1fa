"""Messages that wait for the interceptors, and the task that takes them through.

While every handler is synchronous, nothing waits: a message passes all interceptors in
one call. The first handler that has to be awaited starts a task, and what arrives from
then on waits in the queue. The task ends when the queue is empty.
"""

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
from ws_common.vocabulary.tasks import normalize_user_error, spawn

QUEUE_CAPACITY: Final = 1024
"""The number of messages that may wait where `stream_capacity` is None."""

_NO_QUEUE: Final[deque[Any]] = deque(maxlen=0)
"""The queue of all clients without interceptors. It cannot hold anything."""


# A Protocol, since `incoming.py` imports this module and not the other way round.
class Source(Protocol):
    """The connection that brought a message."""

    def discard(self) -> None:
        """Deliver no further messages of this connection."""


class _QueuedCall(NamedTuple):
    """A message, or an action, that waits in the queue.

    Attributes:
        source: The connection that brought the message; None for an action.
        handle: Takes the message through the interceptors, or performs the action.
        size: The payload bytes of the message; 0 for an action.
    """

    source: Source | None
    handle: Callable[[], Any]
    size: int


class InterceptorQueue:
    """Takes the messages of all connections through the interceptors, in order.

    Args:
        messages: The broadcast whose limits apply, and whose subscribers are ended if
            messages have to be dropped.
        has_interceptors: Whether the client has any interceptors.
        report: Reports an event.
        on_watermark: Called when `full` has changed.

    Attributes:
        full: Whether so much waits that reading has to pause.
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
        # The task exists only while messages have to wait.
        self._task: asyncio.Task[None] | None = None
        # The connection whose message an interceptor is handling.
        self._source: Source | None = None
        # What a handler has returned, and what the task awaits next.
        self._pending: Awaitable[Any] | None = None

    def intercept(
        self, source: Source, chain: Callable[[Any], Any], batch: Sequence[Data]
    ) -> None:
        """Take a batch through the interceptors, behind everything that waits.

        Args:
            source: The connection that brought the batch.
            chain: The interceptors of that connection.
            batch: One message or more.

        Raises:
            BaseException: A handler raised something other than an `Exception`. It is
                raised after the whole batch, whose other messages it must not lose.
        """
        base_exception: BaseException | None = None
        for index, message in enumerate(batch):
            if self._task is not None:
                self._enqueue(source, chain, batch[index:])
                break
            try:
                self._call_chain(chain, message)
            except BaseException as error:  # noqa: BLE001 - raised below
                # Raised here, the rest of what the browser had collected, or of one
                # read of a socket, would be dropped without being counted.
                base_exception = base_exception or error
                continue
            if self._pending is not None:
                self._enqueue(source, chain, batch[index + 1 :])
                self._start_task(source)
                break
        if base_exception is not None:
            raise base_exception

    def call(self, action: Callable[..., None], *arguments: Any) -> None:
        """Perform an action in order with the messages: now, if none of them waits."""
        if self._task is not None:
            self._queue.append(_QueuedCall(None, partial(action, *arguments), 0))
        else:
            action(*arguments)

    def remove_messages_of(self, source: Source) -> int:
        """Remove the messages of one connection, and return their number."""
        kept = [one for one in self._queue if one.source is not source]
        count = len(self._queue) - len(kept)
        if count:
            self._queue.clear()
            self._queue.extend(kept)
            self._queue_size = sum(one.size for one in kept)
            self._update_full()
        return count

    def discard(self) -> None:
        """Discard all messages that wait, or that an interceptor is handling."""
        waiting = (one.source for one in self._queue)
        for source in dict.fromkeys((self._source, *waiting)):
            if source is not None:
                source.discard()

    def stop(self) -> None:
        """Cancel the task. Actions that wait are performed, messages are discarded."""
        self.discard()
        task, self._task = self._task, None
        # Only actions are left. They must not be lost with the messages before them:
        # `sessions()` of a client that had just been closed waited for ever when its
        # action was removed with the rest of the queue.
        while self._queue:
            self._queue.popleft().handle()
        if task is not None:
            task.cancel()
        if asyncio.iscoroutine(self._pending):
            # The task was cancelled before its first step, so that nobody will ever
            # await this coroutine. Python would warn of that.
            self._pending.close()

    def check_not_in_interceptor(self) -> None:
        """Raise if the caller is an interceptor that would wait for itself.

        Raises:
            WSNotConnectedError: The current task is the one that awaits `on_message`.
        """
        if self._task is not None and asyncio.current_task() is self._task:
            raise WSNotConnectedError(
                "inside on_message, this call would wait for the message that "
                "on_message is handling: make the call in a task of its own"
            )

    def _call_chain(self, handle: Callable[..., Any], *message: Any) -> None:
        """Call the chain, and set `_pending` if its result has to be awaited."""
        try:
            result: Any = handle(*message)
        except Exception as error:  # noqa: BLE001 - user code: reported, and on
            self._report("interceptor_raised", error=error)
            return
        # In this order, because isinstance() with an abstract class is slow, and the
        # result of nearly all messages is None or DONE.
        if result is not None and result is not DONE and isinstance(result, Awaitable):
            self._pending = result

    def _start_task(self, source: Source | None) -> None:
        self._source = source
        self._task = spawn(self._process(), "ws receive")
        self._task.add_done_callback(self._task_done)

    async def _process(self) -> None:
        # An eager task runs this before `spawn()` has returned. An interceptor that
        # ended the client there was not cancelled, since no task was known yet.
        self._task = asyncio.current_task()
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
                # The next line raises a cancellation of this task again. One that the
                # interceptor itself has caused is a failure like any other.
                error = normalize_user_error(error, "an interceptor")
                self._report("interceptor_raised", error=error)

    def _task_done(self, task: "asyncio.Task[None]") -> None:
        self._task = self._source = None
        if self._queue and not task.cancelled():
            # Messages arrived after the last look at the queue, or a BaseException
            # ended the task. Later messages would overtake what is left otherwise.
            self._start_task(None)

    def _enqueue(
        self, source: Source, chain: Callable[[Any], Any], batch: Sequence[Data]
    ) -> None:
        limits = self._messages.limits
        bound = None if limits.can_pause else limits.max_bytes
        for index, message in enumerate(batch):
            size = payload_size(message)
            is_above = bound is not None and self._queue_size + size > bound
            # A single message is never too much, as in a subscriber's buffer.
            if is_above and self._queue:
                self._drop(len(batch) - index)
                break
            self._queue.append(_QueuedCall(source, partial(chain, message), size))
            self._queue_size += size
        self._update_full()

    def _drop(self, count: int) -> None:
        """Drop messages, and end all subscribers, none of which may miss a gap."""
        self._messages.on_drop(count)
        error = WSStreamOverflowError(
            f"an interceptor did not keep up: {len(self._queue)} messages of "
            f"{self._queue_size:,} bytes waited for it, and a browser cannot pause"
        )
        self.call(self._messages.end_current, End(error=error, final=True))

    def _update_full(self) -> None:
        """Update `full`: it is reset at a quarter of the limits that set it."""
        limits = self._messages.limits
        factor = 4 if self.full else 1
        count, size = len(self._queue) * factor, self._queue_size * factor
        max_bytes = limits.max_bytes or float("inf")
        full = count > (limits.capacity or QUEUE_CAPACITY) or size > max_bytes
        if full is not self.full:
            self.full = full
            self._on_watermark()
