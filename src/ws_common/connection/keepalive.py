"""The beating heart of one connection: asks for a sign of life, and says if none came.

Every `interval` it asks, with a protocol ping or the application's `message`. A byte
from the peer is a sign of life, and so is a send buffer that drains. `interval` plus
`timeout` after the last of them the connection is dead, at that very moment: it was
asked after `interval` at the latest, and had `timeout` to answer. While reading is
paused nothing can be heard, so nothing is asked or missed.

Timers may be late: those of a hidden page fire once a minute, those of a frozen page
or a sleeping machine when that is over. So a message that arrives does the work of a
timer that is late, and a check that comes late is no verdict: it asks anew, and
leaves `timeout` for the answer. Only the third late check in a row is believed, if no
more than the slowness of a hidden page explains it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ws_common.connection.confirmations import Confirmations
from ws_common.options.heartbeat import Heartbeat
from ws_common.vocabulary.clock import JUMP_THRESHOLD, Clock, ExpectedTime
from ws_common.vocabulary.durations import seconds
from ws_common.vocabulary.errors import WSConnectionClosedError
from ws_common.vocabulary.messages import Data, size_of, to_wire
from ws_common.vocabulary.timers import Timer, call_later
from ws_common.vocabulary.transport import Transport

_LATE = 1.0
"""Seconds after which a message need not wait for a timer."""

_THROTTLED = 60.0
"""Seconds by which timers of a hidden page may be late (Chromium, WebKit)."""

_TOLERATED_LATE_CHECKS = 2
"""How many late checks in a row are forgiven."""


class Keepalive:
    """Beats from `start()` until `stop()`; without a heartbeat it answers probes alone.

    Args:
        heartbeat: How often to ask, and how; None: only when told to.
        transport: What is asked by.
        confirmations: Told what an answered ping confirms.
        clock: Tells whether time has passed unnoticed.
        report: Reports an event.
        on_expired: Called when no sign of life came in time.

    Attributes:
        hears_messages: Whether `hear()` must be called with what arrives.
    """

    __slots__ = (
        "_ask_at",
        "_asked_at",
        "_asking",
        "_buffered",
        "_checking",
        "_clock",
        "_confirmations",
        "_floor",
        "_heartbeat",
        "_interval",
        "_loop",
        "_mercies",
        "_on_expired",
        "_periodic",
        "_pongs",
        "_report",
        "_sent",
        "_timeout",
        "_transport",
        "hears_messages",
    )

    def __init__(
        self,
        heartbeat: Heartbeat | None,
        transport: Transport,
        confirmations: Confirmations,
        clock: Clock,
        *,
        report: Callable[..., None],
        on_expired: Callable[[], None],
    ) -> None:
        self._periodic = heartbeat is not None
        self._heartbeat = heartbeat or Heartbeat()
        self._clock = clock
        self._interval = seconds(self._heartbeat.interval)
        self._timeout = seconds(self._heartbeat.timeout)
        # What cannot pause is a browser's, where timers are late and messages not.
        by_traffic = self._heartbeat.message is not None and not transport.can_pause
        self.hears_messages = self._heartbeat.is_reply is not None or by_traffic
        self._transport = transport
        self._confirmations = confirmations
        self._report = report
        self._on_expired = on_expired
        self._loop = asyncio.get_running_loop()
        self._asking: Timer | None = None
        self._checking: Timer | None = None
        # Signs of life that are no bytes: the start, the end of a pause, a drain.
        self._floor = float("-inf")
        self._buffered = transport.buffered_amount
        # The first question since the last sign of life, and when the next is due.
        self._asked_at = float("-inf")
        self._ask_at = 0.0
        self._mercies = 0
        self._pongs: frozenset[asyncio.Future[float]] = frozenset()
        # An application's ping that waits for its reply: when, and what it confirms.
        self._sent: tuple[float, int] | None = None

    def start(self) -> None:
        """Beat, or go on after a pause: the peer has the whole of its time again."""
        self._floor = self._loop.time()
        if self._periodic:
            self._rest()

    def probe(self, *, after_gap: bool = True) -> None:
        """Ask now, and wait for `timeout` alone.

        Args:
            after_gap: Time may have passed unnoticed, and a question from before it
                counts no more. Else it does: who looks at a page again and again
                does not put off the end.
        """
        if self._periodic:
            self._rest()
        waits = self._checking is not None and self._alive_at() < self._asked_at
        if self._send() and (after_gap or not waits):
            self._await_answer(self._timeout)

    def hear(self, batch: Sequence[Data], size: int) -> tuple[Sequence[Data], int]:
        """Take the answers to the application's `message` out of what has arrived.

        A message that arrives also does what a timer should have done by now.

        Args:
            batch: What has arrived.
            size: Payload bytes of all of it.

        Returns:
            What goes on, and its size.
        """
        if self._asking is not None and self._loop.time() > self._ask_at + _LATE:
            self._ask()
        is_reply = self._heartbeat.is_reply
        if is_reply is None:
            return batch, size
        others = [
            message for message in batch if not self._is_answer(is_reply, message)
        ]
        if len(others) == len(batch):
            return batch, size
        return others, sum(map(size_of, others))

    def _is_answer(self, is_reply: Callable[[Data], bool], message: Data) -> bool:
        try:
            answers = is_reply(message)
        except Exception as error:  # noqa: BLE001 - user code: reported, and on
            self._report("is_reply_raised", error=error)
            return False
        if answers and self._sent is not None:
            (sent_at, confirmed), self._sent = self._sent, None
            self._confirmations.measured(self._loop.time() - sent_at, confirmed)
        return bool(answers)

    def drained(self) -> None:
        """The peer's side has taken something of what is buffered."""
        self._floor = self._loop.time()

    def pause(self) -> None:
        """Nothing is read from here on: silence says nothing."""
        for timer in (self._asking, self._checking):
            if timer is not None:
                timer.cancel()
        self._asking = self._checking = None

    def stop(self) -> None:
        """Beat no more."""
        self.pause()
        for pong in tuple(self._pongs):
            pong.cancel()

    def _rest(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
        self._ask_at = self._loop.time() + self._interval
        self._asking = call_later(self._interval, self._ask)

    def _ask(self) -> None:
        self._rest()
        answered = self._alive_at() >= self._asked_at
        if self._send() and answered:
            self._mercies = 0
            # Asked before `interval` is over: what remains of it is waited for, too.
            remaining = self._alive_at() + self._interval - self._loop.time()
            self._await_answer(max(0.0, remaining) + self._timeout)

    def _send(self) -> bool:
        """Ask; False where there is nothing to ask with, or it cannot be sent."""
        try:
            pong = self._transport.ping()
            if pong is not None:
                self._watch(pong)
                return True
            message = self._heartbeat.message
            if message is None:
                return False
            data, text = to_wire(message() if callable(message) else message)
            self._transport.send(data, text=text)
        except WSConnectionClosedError:
            return True  # it is ending; should it not say so, the deadline does
        except Exception as error:  # noqa: BLE001 - user code: reported, not fatal
            self._report("heartbeat_failed", error=error)
            return False
        if self._sent is None:
            self._sent = self._loop.time(), self._confirmations.handed_over
        return True

    def _watch(self, pong: Awaitable[float]) -> None:
        confirmed = self._confirmations.handed_over
        future = asyncio.ensure_future(pong)
        self._pongs |= {future}

        def answered(done: asyncio.Future[float]) -> None:
            self._pongs -= {done}
            if not done.cancelled() and done.exception() is None:
                self._confirmations.measured(done.result(), confirmed)

        future.add_done_callback(answered)

    def _alive_at(self) -> float:
        """Loop time of the last sign of life."""
        buffered = self._transport.buffered_amount
        if buffered < self._buffered:
            self._floor = self._loop.time()
        self._buffered = buffered
        return max(self._floor, self._transport.last_activity)

    def _await_answer(self, within: float) -> None:
        """Expect a sign of life within so many seconds of a question asked now."""
        self._asked_at = self._loop.time()
        if self._checking is not None:
            self._checking.cancel()
        expected = ExpectedTime.after(within, self._clock)
        self._checking = call_later(within, self._check, expected)

    def _check(self, expected: ExpectedTime) -> None:
        self._checking = None
        if self._alive_at() >= self._asked_at:
            self._mercies = 0
        elif self._is_excused(expected):
            self._asked_at = float("-inf")  # no question waits, if none can be sent
            if self._send():
                self._await_answer(self._timeout)
        else:
            self._on_expired()

    def _is_excused(self, expected: ExpectedTime) -> bool:
        """Whether the silence may be our own: the check came late."""
        late = expected.lateness(self._clock)
        if late <= JUMP_THRESHOLD:
            return False
        if late > JUMP_THRESHOLD + _THROTTLED:
            return True
        self._mercies += 1
        return self._mercies <= _TOLERATED_LATE_CHECKS
