"""What arrives, on its way from the connections to the subscribers: one sequence.

    connection ──▶ interceptors ──▶ held until open ──▶ subscribers

Messages, the opening of a connection and its end pass in the order in which they came
about, whatever an interceptor does. While every handler is synchronous, a message
passes in one call. From the first that is awaited on, what follows waits in a queue,
and a task works it off; the task ends when it has caught up.

What a connection brings before it is open is held: `after_connect` may read it, and
what it leaves goes to the subscribers first. `Incoming` is the place of one connection
in the sequence, and it alone decides what becomes of that connection's messages.

Memory is bounded wherever messages wait: each place says when it holds too much, and
reading is paused until it is well below that again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from ws_common.options.interceptors import DONE, Handler, WSInterceptor, build
from ws_common.options.options import WebSocketOptions
from ws_common.options.platform import Platform
from ws_common.receive.broadcast import Broadcast
from ws_common.receive.stalled_readers import StalledReaders
from ws_common.receive.subscriber_buffer import Buffer, End, Limits
from ws_common.vocabulary.client_loop import ClientLoop
from ws_common.vocabulary.errors import WSNotConnectedError, WSStreamOverflowError
from ws_common.vocabulary.messages import Data, payload_size
from ws_common.vocabulary.tasks import normalize_user_error, spawn

QUEUE_CAPACITY: Final = 1024
"""Messages that may wait for an interceptor where `stream_capacity` sets no count."""


def limits_of(options: WebSocketOptions, platform: Platform) -> Limits:
    """How much a subscriber's buffer holds, unless it says otherwise."""
    return Limits(
        options.stream_capacity,
        platform.stream_max_bytes,
        options.stream_overflow,
        can_pause=platform.stream_overflow == "pause",
    )


Stage = Literal["held", "flowing", "discarded"]
"""What becomes of the messages of one connection."""


class Incoming:
    """What one connection brings, in order.

    Args:
        pipeline: What it passes through.
        number: The number that the connection has, or will have.

    Attributes:
        held: What came before the connection was open.
        stage: What becomes of its messages.
    """

    __slots__ = (
        "_chain",
        "_discarded",
        "_ended",
        "_pipeline",
        "held",
        "number",
        "stage",
    )

    def __init__(self, pipeline: "ReceivePipeline", number: int) -> None:
        self.number = number
        self.stage: Stage = "held"
        self._discarded = 0  # and not reported yet
        self._ended = False
        self._pipeline = pipeline
        messages = pipeline.messages
        self.held: Buffer[Any] = Buffer(
            messages.limits, messages.on_watermark, messages.on_drop
        )
        handlers = pipeline.handlers
        # Each connection has its own, so that a `next` that is called late still
        # knows where the message came from.
        self._chain = build(handlers, self._passed) if handlers else None

    def push(self, batch: Sequence[Data], size: int) -> None:
        """Take what the connection has brought."""
        if self._chain is None or self.stage == "discarded":
            self.deliver(batch, size)
        else:
            self._pipeline.intercept(self, self._chain, batch)

    def deliver(self, batch: Sequence[Any], size: int) -> None:
        """Take what has passed the interceptors."""
        if self.stage == "flowing":
            self._pipeline.messages.publish(batch, size, self.number)
        elif self.stage == "held":
            # Once it has overflowed, it drops: nothing is delivered behind a gap.
            self.held.extend(batch, size, self.number)
        else:
            self._count(len(batch))

    def _passed(self, data: Any) -> Any:
        self.deliver((data,), payload_size(data))
        return DONE

    def opened(self) -> None:
        """Let flow what is held, and what comes; called in order."""
        if self.stage != "held":
            return
        self.stage = "flowing"
        held, messages = self.held, self._pipeline.messages
        overflow, size = held.end, held.bytes
        if batch := held.drain():
            messages.publish(batch, size, self.number)
        if overflow is not None:
            messages.fail(overflow)
        over = WSNotConnectedError("after_connect is over: receive on the client")
        held.mark(End(error=over, final=True))
        held.release()

    def discard(self) -> None:
        """Deliver nothing more; what waits is counted, and so is what comes."""
        if self.stage == "discarded":
            return
        self.stage = "discarded"
        self._count(self._pipeline.forget(self) + len(self.held.drain()))
        self._report_discarded()
        self.held.release()

    def ended(self, end: End) -> None:
        """The connection has ended, behind all that it has brought."""
        self._pipeline.call(self.held.mark, end)
        self._ended = True
        self._report_discarded()

    def _count(self, count: int) -> None:
        """Count what nobody will see; it is reported when all is known, once each."""
        self._discarded += count
        self._pipeline.count_discarded(count)
        if self._ended:
            self._report_discarded()

    def _report_discarded(self) -> None:
        count, self._discarded = self._discarded, 0
        if count:
            self._pipeline.report("messages_discarded", count=count)

    @property
    def should_pause(self) -> bool:
        """Whether a place that its messages pass through holds too much."""
        pipeline = self._pipeline
        return (
            pipeline.queue_full
            or self.held.full
            or (self.stage == "flowing" and bool(pipeline.messages.full))
        )


class _Waiting(NamedTuple):
    """A message, or an action, that waits for its turn.

    Attributes:
        source: What brought the message; None: an action.
        handle: Takes the message through the interceptors, or does the action.
        size: Payload bytes of the message.
    """

    source: Incoming | None
    handle: Callable[[], Any]
    size: int


class ReceivePipeline:
    """The sequence that all connections of a client feed.

    Args:
        interceptors: The last is nearest the wire.
        limits: Of every buffer, unless a subscriber says otherwise.
        report: Reports an event.
        count_discarded: Told of messages that nobody will see.
        on_drop: Told of messages that an overflow has dropped.
        on_watermark: Called when a place holds too much, or no longer does.
        client_loop: The loop of the client.

    Attributes:
        messages: Hands messages to the subscribers.
        handlers: The handlers of the interceptors, outermost (at the wire) first.
        queue_full: Whether too much waits for an interceptor.
        report: Reports an event.
        stuck: Names the subscriber that holds the socket and is not read.
    """

    __slots__ = (
        "_on_watermark",
        "_pending",
        "_queue",
        "_queue_size",
        "_source",
        "_task",
        "count_discarded",
        "handlers",
        "messages",
        "queue_full",
        "report",
        "stuck",
    )

    def __init__(
        self,
        interceptors: tuple[WSInterceptor, ...],
        limits: Limits,
        *,
        report: Callable[..., None],
        count_discarded: Callable[[int], None],
        on_drop: Callable[[int], None],
        on_watermark: Callable[[], None],
        client_loop: ClientLoop | None = None,
    ) -> None:
        self.messages: Broadcast[Any] = Broadcast(
            limits,
            keep=True,
            client_loop=client_loop,
            on_watermark=self._watermark_crossed,
            on_drop=on_drop,
        )
        self.handlers: Sequence[Handler] = [
            one.on_message for one in reversed(interceptors)
        ]
        self.count_discarded = count_discarded
        self.report = report
        self._on_watermark = on_watermark
        self._queue: deque[_Waiting] = deque() if interceptors else _NOTHING
        self._queue_size = 0
        self.queue_full = False
        self._task: asyncio.Task[None] | None = None  # while messages have to wait
        self._source: Incoming | None = None  # whose message is being handled
        self._pending: Awaitable[Any] | None = None  # what the task awaits next
        self.stuck = StalledReaders(self.messages, report)

    def intercept(
        self, source: Incoming, chain: Callable[[Any], Any], batch: Sequence[Data]
    ) -> None:
        """Take messages through the interceptors, behind those that wait there.

        What no `except Exception` catches is raised behind the batch, which it must
        not take with it.
        """
        stopped: BaseException | None = None
        for index, message in enumerate(batch):
            if self._task is not None:
                self._enqueue(source, chain, batch[index:])
                break
            try:
                self._begin(chain, message)
            except BaseException as error:  # noqa: BLE001 - raised below
                stopped = stopped or error
                continue
            if self._pending is not None:
                self._enqueue(source, chain, batch[index + 1 :])
                self._start(source)
                break
        if stopped is not None:
            raise stopped

    def call(self, action: Callable[..., None], *arguments: Any) -> None:
        """Do something in order with the messages: now, if none is under way."""
        if self._task is not None:
            self._queue.append(_Waiting(None, partial(action, *arguments), 0))
        else:
            action(*arguments)

    def forget(self, source: Incoming) -> int:
        """Forget what waits of one connection; return how many messages that was."""
        kept = [one for one in self._queue if one.source is not source]
        count = len(self._queue) - len(kept)
        if count:
            self._queue.clear()
            self._queue.extend(kept)
            self._queue_size = sum(one.size for one in kept)
            self._measure()
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
        self.stuck.stop()
        if task is not None:
            task.cancel()
        if asyncio.iscoroutine(self._pending):
            self._pending.close()  # its task has not begun, and never will

    def check_outside(self) -> None:
        """Raise where an interceptor would wait for what waits for it.

        Raises:
            WSNotConnectedError: An `on_message` that is awaited is calling.
        """
        if self._task is not None and asyncio.current_task() is self._task:
            raise WSNotConnectedError(
                "inside on_message this would wait for what on_message is handling: "
                "do it in a task of its own"
            )

    def _watermark_crossed(self) -> None:
        """A place holds too much, or no longer does."""
        self._on_watermark()
        self.stuck.watch()

    # Inside

    def _begin(self, handle: Callable[..., Any], *message: Any) -> None:
        """Call the chain; `_pending` is what is to be awaited, if anything is."""
        try:
            result: Any = handle(*message)
        except Exception as error:  # noqa: BLE001 - user code: reported, and on
            self.report("interceptor_raised", error=error)
            return
        if result is not None and result is not DONE and isinstance(result, Awaitable):
            self._pending = result

    def _start(self, source: Incoming | None) -> None:
        self._source = source
        self._task = spawn(self._work(), "ws receive")
        self._task.add_done_callback(self._ended)

    async def _work(self) -> None:
        self._task = asyncio.current_task()  # an eager one is not returned yet
        while self._pending is not None or self._queue:
            if self._pending is None:
                self._source, handle, size = self._queue.popleft()
                self._queue_size -= size
                self._measure()
                if self._source is None:
                    handle()
                else:
                    self._begin(handle)
                continue
            pending, self._pending = self._pending, None
            try:
                await pending
            except (asyncio.CancelledError, Exception) as error:  # noqa: BLE001 - user code
                error = normalize_user_error(error, "an interceptor")
                self.report("interceptor_raised", error=error)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._task = self._source = None
        if self._queue and not task.cancelled():
            self._start(None)  # something came since, or one message stopped it

    def _enqueue(
        self, source: Incoming, chain: Callable[[Any], Any], batch: Sequence[Data]
    ) -> None:
        limits = self.messages.limits
        bound = None if limits.can_pause else limits.max_bytes
        for index, message in enumerate(batch):
            size = payload_size(message)
            over = bound is not None and self._queue_size + size > bound
            if over and self._queue:  # a single message is never too large
                self._drop(len(batch) - index)
                break
            self._queue.append(_Waiting(source, partial(chain, message), size))
            self._queue_size += size
        self._measure()

    def _drop(self, count: int) -> None:
        """Drop what has no room; nobody reads on as if nothing were missing."""
        self.messages.on_drop(count)
        error = WSStreamOverflowError(
            f"an interceptor did not keep up: {len(self._queue)} messages of "
            f"{self._queue_size:,} bytes waited for it, and a browser cannot pause"
        )
        self.call(self.messages.fail, End(error=error, final=True))

    def _measure(self) -> None:
        """Say whether the queue holds too much: hysteresis of a quarter."""
        limits = self.messages.limits
        factor = 4 if self.queue_full else 1
        count, size = len(self._queue) * factor, self._queue_size * factor
        max_bytes = limits.max_bytes or float("inf")
        full = count > (limits.capacity or QUEUE_CAPACITY) or size > max_bytes
        if full is not self.queue_full:
            self.queue_full = full
            self._on_watermark()


_NOTHING: Final[deque[Any]] = deque(maxlen=0)
"""The queue of a pipeline in which nothing ever waited; it cannot hold anything."""
