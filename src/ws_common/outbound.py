"""What is sent, on its way from the application to the wire.

    add(), add_nowait() ──▶ interceptors ──▶ queue ──▶ connection

The queue is empty while messages flow: then a message is handed over in the very
call. It fills while a connection is on its way, or while the connection's buffer is
above `write_limit`. Order is the order of the calls, whoever made them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from time import time
from typing import Any, Literal

from ws_common.durations import seconds
from ws_common.entry import Entry, Era, Gate
from ws_common.errors import (
    WSClientClosedError,
    WSConnectionClosedError,
    WSError,
    WSMessageDroppedError,
    WSOutboxFullError,
)
from ws_common.interceptors import DONE, WSInterceptor, build
from ws_common.messages import Data, to_wire
from ws_common.options import WebSocketOptions
from ws_common.receipt import Receipt, settle
from ws_common.tasks import spawn
from ws_common.timers import Timer, call_later
from ws_common.turns import Turn, Turns

TURN = 64
"""Sends after which `add()` lets others run, even if nothing makes it wait."""

_SOON = 0.001
"""Seconds by which the loop's clock and the wall's may differ."""

Submit = Callable[[Any], Any]


class Outbound:
    """The way out.

    Args:
        options: The client's options.
        may_wait: Raises where no connection is open or coming.
        on_drop: Told of each message that overflow or age has dropped.
    """

    def __init__(
        self,
        options: WebSocketOptions,
        may_wait: Callable[[], None],
        on_drop: Callable[[Entry, str], None],
    ) -> None:
        self._options = options
        self._outbox = options.outbox
        self._may_wait = may_wait
        self._on_drop = on_drop
        self._queue: deque[Entry] = deque()
        self._kept_count = 0
        self._kept_bytes = 0
        self._gate: Gate | None = None
        self._sends = 0
        self._turns = Turns()
        self._era = Era()
        self._expiry: Timer | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._interceptors: tuple[WSInterceptor, ...] = options.interceptors

    # What the application calls

    async def add(
        self, data: Any, *, text: bool | None, via: Gate | None = None
    ) -> None:
        """Send in call order; wait while a connection is on its way.

        Args:
            data: What the interceptors, or the wire, take.
            text: See `to_wire()`.
            via: The only connection that may carry it; None: any.
        """
        if via is None:
            self._may_wait()
        entries: list[Entry] = []
        era = self._era

        def submit(payload: Any) -> Any:
            wire, as_text = to_wire(payload, text=text)
            if via is None:
                era.check()
            if via is not None and via is not self._gate:
                via.send(wire, text=as_text)
            elif not self._hand_over(wire, text=as_text):
                entry = Entry(wire, Receipt(), text=as_text, bounded=False)
                entry.via = via
                self._append(entry)
                entries.append(entry)
            return DONE

        try:
            if self._interceptors:
                await self._intercept(data, submit, self._turns.take())
            else:
                submit(data)
            for entry in entries:
                await entry.receipt
        except BaseException:
            self._withdraw(entries)
            raise
        await self._give_way(via or self._gate)

    def add_nowait(self, data: Any, *, text: bool | None) -> Receipt:
        """Send now if possible, else keep it in the bounded outbox."""
        self._may_wait()
        receipt = Receipt()
        era = self._era

        def submit(payload: Any) -> Any:
            wire, as_text = to_wire(payload, text=text)
            era.check()
            if self._hand_over(wire, text=as_text):
                settle(receipt, "sent")
            else:
                entry = Entry(wire, receipt, text=as_text, bounded=True)
                submitted.append(entry)
                self._keep(entry)
            return DONE

        submitted: list[Entry] = []
        if self._interceptors:
            self._intercept_nowait(data, submit, receipt, submitted)
        else:
            submit(data)
        return receipt

    # What the supervisor calls

    def open(self, gate: Gate) -> None:
        """A connection is open: send what waits for it."""
        self._gate = gate
        self.flush()

    def shut(self) -> None:
        """The connection takes nothing any more; what was meant for it alone fails."""
        gate, self._gate = self._gate, None
        if gate is None:
            return
        for entry in [one for one in self._queue if one.via is gate]:
            self._remove(entry)
            settle(entry.receipt, "failed", gate.closed_error())

    def flush(self) -> None:
        """Hand over what waits, as far as the connection takes it."""
        while self._queue and self._gate is not None and not self._gate.above_limit:
            entry = self._queue[0]
            if entry.expires is not None and entry.expires <= time():
                self._shift()
                self._lose(entry, "expired")
                continue
            try:
                self._gate.send(entry.data, text=entry.text)
            except WSConnectionClosedError:
                return  # it is ending: the supervisor will say what comes
            self._shift()
            settle(entry.receipt, "sent")

    def fail(self, make_error: Callable[[], WSError]) -> None:
        """Fail whatever waits, in the queue or in an interceptor."""
        queue, self._queue = self._queue, deque()
        self._kept_count = self._kept_bytes = 0
        self._era.failure = make_error()
        self._era = Era()
        for entry in queue:
            settle(entry.receipt, "failed", make_error())

    def stop(self) -> None:
        """Cancel what is under way in the background."""
        if self._expiry is not None:
            self._expiry.cancel()
        for task in self._tasks:
            task.cancel()

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return len(self._queue)

    # Inside

    async def _intercept(self, data: Any, submit: Submit, turn: Turn) -> None:
        """Run the chain; chains that wait do so one after the other."""
        try:
            await turn.come()
            result = self._chain(submit)(data)
            if result is not DONE and isinstance(result, Awaitable):
                await result
        finally:
            turn.leave()

    def _intercept_nowait(
        self, data: Any, submit: Submit, receipt: Receipt, submitted: list[Entry]
    ) -> None:
        """Run the chain now, as far as that goes, and the rest in the background."""
        turn = self._turns.take()
        if not turn.is_here:
            work = self._intercept(data, submit, turn)
            self._in_background(work, turn, receipt, submitted)
            return
        waits = False
        try:
            result: Awaitable[Any] | None = self._chain(submit)(data)
            if result is not DONE and isinstance(result, Awaitable):
                waits = True
                self._in_background(result, turn, receipt, submitted)
        finally:
            if not waits:
                turn.leave()
        if not waits:
            _swallowed(receipt, submitted)

    def _chain(self, submit: Submit) -> Callable[[Any], Any]:
        return build([one.on_send for one in self._interceptors], submit)

    def _in_background(
        self,
        work: Awaitable[Any],
        turn: Turn,
        receipt: Receipt,
        submitted: list[Entry],
    ) -> None:
        async def run() -> None:
            try:
                await work
            except WSError as error:
                settle(receipt, "failed", error)
            except Exception as error:  # noqa: BLE001 - user code: goes to the receipt
                settle(receipt, "failed", _raised(error))
            else:
                _swallowed(receipt, submitted)

        def over(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if task.cancelled():
                settle(receipt, "failed", WSClientClosedError("the client was closed"))
            elif (error := task.exception()) is not None:
                settle(receipt, "failed", _raised(error))
            if isinstance(work, Coroutine):
                work.close()  # where the task was cancelled before it began
            turn.leave()

        task = spawn(run(), "ws add_nowait")
        self._tasks.add(task)
        task.add_done_callback(over)

    def _hand_over(self, data: Data, *, text: bool) -> bool:
        """Send at once, if that is possible without overtaking anything."""
        gate = self._gate
        if gate is None or self._queue or gate.above_limit:
            self._may_wait()
            return False
        try:
            gate.send(data, text=text)
        except WSConnectionClosedError:
            return False  # it is ending: the supervisor will say what comes
        return True

    def _keep(self, entry: Entry) -> None:
        box = self._outbox
        if box.ttl is not None:
            entry.expires = time() + seconds(box.ttl)
            self._expire()
        while not self._fits(entry):
            oldest = next((one for one in self._queue if one.bounded), None)
            hopeless = oldest is None or entry.size > box.max_bytes
            if box.overflow == "error" or (box.overflow == "drop_oldest" and hopeless):
                raise WSOutboxFullError(
                    f"the outbox is full ({self.waiting} messages wait): slow down, "
                    "raise outbox.max_messages or max_bytes, or choose an overflow"
                )
            if box.overflow == "drop_newest" or oldest is None:
                self._lose(entry, "dropped")
                return
            self._remove(oldest)
            self._lose(oldest, "dropped")
        self._append(entry)
        if self._expiry is None and entry.expires is not None:
            self._expire()

    def _expire(self) -> None:
        """Drop what has grown too old; look again when the next one has."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        now = time()
        aging = [one for one in self._queue if one.expires is not None]
        for entry in aging:
            if entry.expires is not None and entry.expires > now:
                delay = max(entry.expires - now, _SOON)
                self._expiry = call_later(delay, self._expire)
                return
            self._remove(entry)
            self._lose(entry, "expired")

    def _fits(self, entry: Entry) -> bool:
        box = self._outbox
        if self._kept_count >= box.max_messages:
            return False
        return self._kept_bytes + entry.size <= box.max_bytes

    def _append(self, entry: Entry) -> None:
        self._queue.append(entry)
        self._account(entry, 1)

    def _remove(self, entry: Entry) -> None:
        self._queue.remove(entry)
        self._account(entry, -1)

    def _shift(self) -> Entry:
        entry = self._queue.popleft()
        self._account(entry, -1)
        return entry

    def _account(self, entry: Entry, sign: int) -> None:
        if entry.bounded:
            self._kept_count += sign
            self._kept_bytes += sign * entry.size

    def _lose(self, entry: Entry, status: Literal["dropped", "expired"]) -> None:
        words = "grew too old in" if status == "expired" else "was dropped from"
        error = WSMessageDroppedError(
            f"a message of {entry.size} bytes {words} the outbox"
        )
        settle(entry.receipt, status, error)
        self._on_drop(entry, status)

    def _withdraw(self, entries: list[Entry]) -> None:
        """What a cancelled `add()` has not handed over is not sent."""
        for entry in entries:
            if entry.receipt.status == "queued":
                self._remove(entry)
                settle(entry.receipt, "dropped")

    async def _give_way(self, gate: Gate | None) -> None:
        self._sends += 1
        if gate is not None and gate.above_limit:
            await gate.writable()
        elif self._sends % TURN == 0:
            await asyncio.sleep(0)


def _raised(error: BaseException) -> WSMessageDroppedError:
    failure = WSMessageDroppedError(f"an interceptor raised: {error!r}")
    failure.__cause__ = error
    return failure


def _swallowed(receipt: Receipt, submitted: list[Entry]) -> None:
    """Settle the receipt of a message that no interceptor has handed on."""
    if not submitted:
        error = WSMessageDroppedError("an interceptor did not hand the message on")
        settle(receipt, "dropped", error)
