"""The send queue: what is sent, between the application and the connection.

    add(), add_nowait() ──▶ interceptors ──▶ queue ──▶ connection

While messages flow nothing waits, and a message is handed over in the very call. They
wait while a connection is on its way, or while the buffer of the open one is above
`write_limit`. Order is the order of the calls, whoever made them.

Nothing is made before it is used: a client that never waits and has no interceptors
has this one object for all its sends.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

from ws_common.options.options import WebSocketOptions
from ws_common.send.intercepted_send import InterceptedSend
from ws_common.send.outbox_queue import OutboxQueue
from ws_common.send.queued_message import OnDrop, QueuedMessage
from ws_common.send.receipt import Receipt
from ws_common.send.send_order import SendOrder
from ws_common.send.send_target import SendTarget, hand_over, send_error
from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.errors import WSConnectionClosedError, WSError
from ws_common.vocabulary.messages import to_wire

YIELD_EVERY: Final = 64
"""Sends after which `add()` lets others run, even if nothing makes it wait."""


class SendQueue:
    """Everything that a client sends passes through here.

    Args:
        options: The client's options.
        clock: What time it is.
        check_coming: Raises where no connection is open or coming, or the loop is
            another one.
        report: Reports an event.
        on_drop: Called with each message that the outbox drops, and why.
    """

    __slots__ = (
        "_check_coming",
        "_clock",
        "_interceptors",
        "_loop",
        "_on_drop",
        "_order",
        "_outbox",
        "_queue",
        "_report",
        "_target",
        "_until_yield",
    )

    def __init__(
        self,
        options: WebSocketOptions,
        clock: Clock,
        *,
        check_coming: Callable[[], None],
        report: Callable[..., None],
        on_drop: OnDrop,
    ) -> None:
        self._outbox = options.outbox
        self._interceptors = options.interceptors
        self._clock = clock
        self._check_coming = check_coming
        self._report = report
        self._on_drop = on_drop
        # The open connection. While there is one, `check_coming()` need not be asked:
        # a connection that is ending takes nothing.
        self._target: SendTarget | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._until_yield = YIELD_EVERY
        self._queue: OutboxQueue | None = None
        self._order: SendOrder | None = None

    # What the application calls

    def add(
        self,
        data: Any,
        *,
        text: bool | None,
        via: SendTarget | None = None,
        order: SendOrder | None = None,
    ) -> Awaitable[None] | None:
        """Send in call order.

        A plain function, so that a message which nothing holds up costs no coroutine.

        Args:
            data: What the interceptors, or the wire, take.
            text: See `to_wire()`.
            via: The only connection that may carry it; None: any.
            order: See `new_order()`; None: that of all other sends.

        Returns:
            What the caller has to await: for a connection, the interceptors, or room
            in the buffer. Cancelled before the message was handed over, it is not
            sent. None: nothing.
        """
        if self._interceptors:
            if via is None:
                self._check()
            order = self._order_for("add", order)
            submit = partial(self._submit, text=text, via=via)
            send = InterceptedSend(order, data, submit)
            awaitable = None if send.start() else send.finish()
            if awaitable is not None or send.queued:
                return self._finish_add(send.queued, via, awaitable)
        elif message := self._submit(data, text=text, via=via):
            return self._finish_add((message,), via)
        return self._wait_writable(via)

    def add_nowait(self, data: Any, *, text: bool | None) -> Receipt:
        """Send now if possible, else keep it in the bounded outbox."""
        if not self._interceptors:
            message = self._submit(data, text=text, bounded=True)
            return Receipt("sent") if message is None else message
        self._check()
        order = self._order_for("add_nowait", None)
        receipt = QueuedMessage(bounded=True)
        send = InterceptedSend(order, data, partial(self._submit, text=text), receipt)
        if not send.start():
            send.finish_later(receipt)
        return receipt

    def new_order(self, tasks: set["asyncio.Task[None]"] | None = None) -> SendOrder:
        """Make an order of its own for what a session sends.

        `after_connect` must not wait for messages that an interceptor holds until the
        connection is open.

        Args:
            tasks: Takes what passes in the background; None: a new set.
        """
        handlers = [one.on_send for one in self._interceptors]
        return SendOrder(handlers, self._report, set() if tasks is None else tasks)

    # What the supervisor calls

    def open(self, target: SendTarget) -> None:
        """A connection is open: send what waits for it."""
        self._loop = asyncio.get_running_loop()
        self._target = target
        self.flush()

    def shut(self) -> None:
        """Close the connection for writing; what was meant for it alone fails."""
        target, self._target = self._target, None
        if target is None or self._queue is None:
            return
        for message in self._queue.messages_via(target):
            message.resolve("failed", target.closed_error())

    def flush(self) -> None:
        """Hand over what waits, as far as the connection takes it.

        A message that it cannot take fails alone; those behind it go on.
        """
        while (queue := self._queue) and (target := self._target):
            if target.above_limit:
                return
            message = queue.pop()
            if message is None:
                continue  # all were too old
            error = hand_over(target, message.data, text=message.text)
            if isinstance(error, WSConnectionClosedError) and queue is self._queue:
                queue.put_back(message)  # the supervisor will say what comes
                return
            message.resolve("failed" if error else "sent", error)
        if self._queue is not None and not self._queue:
            self._queue.clear()  # its timer
            self._queue = None

    def fail(self, make_error: Callable[[], WSError]) -> None:
        """Fail whatever waits, in the queue or in an interceptor."""
        queue, self._queue = self._queue, None
        for message in queue.clear() if queue is not None else ():
            message.resolve("failed", make_error())
        if self._order is not None:
            failed, self._order = self._order, self.new_order(self._order.tasks)
            failed.fail(make_error)

    def stop(self) -> None:
        """Cancel what is in progress in the background."""
        for task in self._order.tasks if self._order else ():
            task.cancel()

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return len(self._queue or ())

    # Inside

    def _submit(
        self,
        data: Any,
        *,
        text: bool | None,
        via: SendTarget | None = None,
        bounded: bool = False,
        receipt: QueuedMessage | None = None,
    ) -> QueuedMessage | None:
        """Send a message at once if that overtakes nothing, else queue it.

        Returns:
            What was queued, or dropped for want of room; None where it was sent.
        """
        target = self._target
        if via is not None and via is not target:  # not open yet, or over
            wire, as_text = to_wire(data, text=text)
            if error := hand_over(via, wire, text=as_text):
                raise error
            return None
        self._check()
        wire, as_text = to_wire(data, text=text)
        if target is not None and not self._queue and not target.above_limit:
            error = hand_over(target, wire, text=as_text)
            if error is None:
                return None
            if not isinstance(error, WSConnectionClosedError):
                raise error
            self._check_coming()  # it is ending: wait for the next, if any
        message = receipt or QueuedMessage(via=via, bounded=bounded)
        message.fill(wire, text=as_text)
        if self._queue is None:
            self._queue = OutboxQueue(self._outbox, self._clock, self._on_drop)
        self._queue.put(message)
        return message

    def _check(self) -> None:
        if self._target is None or asyncio.get_running_loop() is not self._loop:
            self._check_coming()

    async def _finish_add(
        self,
        queued: Sequence[QueuedMessage],
        via: SendTarget | None,
        awaitable: Awaitable[None] | None = None,
    ) -> None:
        """Await the rest of what interceptors do, then what was queued, then room."""
        try:
            if awaitable is not None:
                await awaitable
            for message in queued:
                await message
        except BaseException as error:
            failure = send_error(error, "add() has failed")
            for message in queued:
                message.resolve("failed", failure)
            raise
        room = self._wait_writable(via)
        if room is not None:
            await room

    def _wait_writable(self, via: SendTarget | None) -> Awaitable[None] | None:
        """What to await after a send: room in the buffer; now and then, other tasks."""
        target = via or self._target
        if target is not None and target.above_limit:
            return target.wait_writable()
        self._until_yield -= 1
        if self._until_yield:
            return None
        self._until_yield = YIELD_EVERY
        return asyncio.sleep(0)

    def _order_for(self, method: str, order: SendOrder | None) -> SendOrder:
        """The order that a send keeps; raises inside an interceptor of that order."""
        if order is None:
            order = self._order = self._order or self.new_order()
        order.check_caller(method)
        return order
