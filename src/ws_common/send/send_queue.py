"""The send queue: the path of a message from the application to the connection.

    add(), add_nowait() ──▶ interceptors ──▶ queue ──▶ connection

On an open connection with room in its send buffer, a message is handed over inside the
call. Messages wait while a connection is being opened, or while its send buffer is
above `write_limit`. They are sent in the order of the calls, whoever made them.

Nothing is made before it is used: a client that never waits and has no interceptors
has this one object for all its sends (105 bytes; 13 objects of 2.2 KB before).
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
"""Sends after which `add()` lets other tasks run, even if it need not wait."""


class SendQueue:
    """The queue through which a client sends everything.

    Args:
        options: The options of the client.
        clock: The clock of the client.
        check_coming: Raises if no connection is open or being opened, or if the
            running loop is not the client's.
        report: Reports an event.
        on_drop: Called with each message that the outbox drops, and the reason.

    Attributes:
        json: The option of that name.
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
        "json",
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
        self.json = options.json
        self._outbox = options.outbox
        self._interceptors = options.interceptors
        self._clock = clock
        self._check_coming = check_coming
        self._report = report
        self._on_drop = on_drop
        # The open connection. While there is one, `check_coming()` is not called: that
        # would cost a call for each message, and a closing connection raises anyway.
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
        """Send a message, in the order of the calls.

        Args:
            data: The message, as the interceptors or `to_wire()` take it.
            text: See `to_wire()`.
            via: The only connection that may send it; None: any.
            order: See `new_order()`; None: the order of all other sends.

        Returns:
            What the caller has to await: a connection, the interceptors, or room in
            the send buffer. Cancelling that before the message was handed over takes
            it back. None: the message has been handed over.
        """
        # No coroutine function: on an open connection a message costs no coroutine.
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
        """Send a message at once if possible, else keep it in the bounded outbox.

        Args:
            data: The message, as the interceptors or `to_wire()` take it.
            text: See `to_wire()`.

        Returns:
            The receipt of the message.
        """
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
        """Make a separate order for the messages of a session.

        Args:
            tasks: Holds the tasks of `add_nowait()`; None: a new set.
        """
        # With one order for all, `after_connect` would wait for a message that an
        # interceptor holds until the connection is open: neither would ever go on.
        handlers = [one.on_send for one in self._interceptors]
        return SendOrder(handlers, self._report, set() if tasks is None else tasks)

    # What the supervisor calls

    def open(self, target: SendTarget) -> None:
        """Send what waits over a connection that is open now."""
        self._loop = asyncio.get_running_loop()
        self._target = target
        self.flush()

    def shut(self) -> None:
        """Close the connection for writing; fail messages of its sessions."""
        target, self._target = self._target, None
        if target is None or self._queue is None:
            return
        for message in self._queue.messages_via(target):
            message.resolve("failed", target.closed_error())

    def flush(self) -> None:
        """Hand over what waits, until the send buffer is above the limit.

        A message that the transport refuses fails alone; later ones are sent.
        """
        # Both are read anew for each message: a transport may drain or end inside
        # `send()`, and `on_event` may send or close for a message that has expired.
        while (queue := self._queue) and (target := self._target):
            if target.above_limit:
                return
            message = queue.pop()
            if message is None:
                continue  # all have expired
            error = hand_over(target, message.data, text=message.text)
            if isinstance(error, WSConnectionClosedError) and queue is self._queue:
                # The supervisor is about to open the next connection, or to fail all.
                queue.put_back(message)
                return
            message.resolve("failed" if error else "sent", error)
        if self._queue is not None and not self._queue:
            self._queue.clear()  # stops its timer
            self._queue = None

    def fail(self, make_error: Callable[[], WSError]) -> None:
        """Fail every message that waits in the queue or in an interceptor."""
        queue, self._queue = self._queue, None
        for message in queue.clear() if queue is not None else ():
            message.resolve("failed", make_error())
        if self._order is not None:
            failed, self._order = self._order, self.new_order(self._order.tasks)
            failed.fail(make_error)

    def stop(self) -> None:
        """Cancel the tasks of `add_nowait()`."""
        for task in self._order.tasks if self._order else ():
            task.cancel()

    @property
    def waiting(self) -> int:
        """The number of messages that wait."""
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
        """Send a message at once if it overtakes no other, else queue it.

        Returns:
            The message if it was queued, or dropped for want of room; None: sent.
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
            self._check_coming()  # it is closing: wait for the next one, if any
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
        """Await the interceptors, then the queued messages, then room."""
        try:
            if awaitable is not None:
                await awaitable
            for message in queued:
                await message
        except BaseException as error:
            # BaseException: a cancelled `add()` takes its message out of the queue, or
            # it would be sent although the caller was told that it was not.
            failure = send_error(error, "add() has failed")
            for message in queued:
                message.resolve("failed", failure)
            raise
        room = self._wait_writable(via)
        if room is not None:
            await room

    def _wait_writable(self, via: SendTarget | None) -> Awaitable[None] | None:
        """Return what to await after a send: room in the buffer, or other tasks."""
        target = via or self._target
        if target is not None and target.above_limit:
            return target.wait_writable()
        # 20,000 sends to an open connection ran for 0.19 s without a turn of the loop:
        # no Pong, no Close frame and no other task was served meanwhile.
        self._until_yield -= 1
        if self._until_yield:
            return None
        self._until_yield = YIELD_EVERY
        return asyncio.sleep(0)

    def _order_for(self, method: str, order: SendOrder | None) -> SendOrder:
        """Return the order of a send; raise inside an interceptor of that order."""
        if order is None:
            order = self._order = self._order or self.new_order()
        order.check_caller(method)
        return order
