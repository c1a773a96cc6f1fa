"""The keepalive of one connection: it sends pings, and reports a peer that is silent.

Every `interval` it sends a Ping frame or the application's `message`. Each byte from
the peer counts as an answer, and so does a send buffer that drains. The connection is
dead exactly `interval` plus `timeout` after the last of them: a ping was sent after
`interval` at the latest, and the peer had `timeout` to answer. While reading is paused
no answer can be read, so no ping is sent and no silence is counted.

Timers may be late. Browsers run those of a hidden page once a minute, and those of a
frozen page or a sleeping machine when it wakes. Therefore a message that arrives does
the work of a late timer, and a check that runs late does not end the connection: it
sends another ping and waits `timeout` for the answer. Only the third late check in a
row ends the connection, if it is no later than in a hidden page.
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

_LATE_TIMER = 1.0
"""Seconds by which a timer has to be late before a message does its work."""

_THROTTLED_BY = 60.0
"""Seconds by which timers of a hidden page may be late (Chromium, WebKit)."""

_TOLERATED_LATE_CHECKS = 2
"""How many late checks in a row may find no answer."""


class Keepalive:
    """Send pings from `start()` until `stop()`; without a heartbeat only for `probe()`.

    Args:
        heartbeat: The interval, the timeout and the message; None: no regular pings.
        transport: The transport that sends the pings.
        confirmations: Counts the messages that an answered ping confirms.
        clock: The clock that shows whether a timer is late.
        report: Reports an event.
        on_expired: Called once when the peer has not answered in time.

    Attributes:
        inspects_messages: Whether `take_replies()` must be called with every batch.
    """

    __slots__ = (
        "_buffered",
        "_check_timer",
        "_clock",
        "_confirmations",
        "_has_heartbeat",
        "_heartbeat",
        "_interval",
        "_last_progress",
        "_late_checks",
        "_loop",
        "_next_ping_at",
        "_on_expired",
        "_ping_timer",
        "_pinged_at",
        "_pongs",
        "_report",
        "_timeout",
        "_transport",
        "_unanswered",
        "inspects_messages",
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
        self._has_heartbeat = heartbeat is not None
        self._heartbeat = heartbeat or Heartbeat()
        self._clock = clock
        self._interval = seconds(self._heartbeat.interval)
        self._timeout = seconds(self._heartbeat.timeout)
        # A transport that cannot pause is a browser's. There timers are late, but the
        # events of a socket are not, so messages may do the work of the timers.
        by_traffic = self._heartbeat.message is not None and not transport.can_pause
        self.inspects_messages = self._heartbeat.is_reply is not None or by_traffic
        self._transport = transport
        self._confirmations = confirmations
        self._report = report
        self._on_expired = on_expired
        self._loop = asyncio.get_running_loop()
        self._ping_timer: Timer | None = None
        self._check_timer: Timer | None = None
        # When the peer last got the whole of its time, or made progress, without a byte
        # received: at the start, at the end of a pause, when the send buffer drained.
        self._last_progress = float("-inf")
        self._buffered = transport.buffered_amount
        # The first ping since the last answer, and when the next ping is due.
        self._pinged_at = float("-inf")
        self._next_ping_at = 0.0
        self._late_checks = 0
        self._pongs: frozenset[asyncio.Future[float]] = frozenset()
        # The time of a `message` that has no reply yet, and what the reply confirms.
        self._unanswered: tuple[float, int] | None = None

    def start(self) -> None:
        """Start, or resume after a pause: the peer has the whole of its time again."""
        self._last_progress = self._loop.time()
        if self._has_heartbeat:
            self._start_ping_timer()

    def probe(self, *, after_gap: bool = True) -> None:
        """Send a ping now, and expect the answer within `timeout`.

        Args:
            after_gap: Whether the process or page may have been suspended. Then a ping
                from before that no longer counts. Otherwise it does, so that a user
                who shows the page again and again does not put off the end.
        """
        if self._has_heartbeat:
            self._start_ping_timer()
        is_waiting = (
            self._check_timer is not None and self._last_activity() < self._pinged_at
        )
        if self._send_ping() and (after_gap or not is_waiting):
            self._expect_answer(self._timeout)

    def take_replies(
        self, batch: Sequence[Data], size: int
    ) -> tuple[Sequence[Data], int]:
        """Take the replies to the application's `message` out of a batch.

        Args:
            batch: The messages that have arrived.
            size: Their payload in bytes.

        Returns:
            The messages that are no replies, and their payload in bytes.
        """
        if (
            self._ping_timer is not None
            and self._loop.time() > self._next_ping_at + _LATE_TIMER
        ):
            self._ask_peer()
        is_reply = self._heartbeat.is_reply
        if is_reply is None:
            return batch, size
        others = [
            message for message in batch if not self._take_reply(is_reply, message)
        ]
        if len(others) == len(batch):
            return batch, size
        return others, sum(map(size_of, others))

    def _take_reply(self, is_reply: Callable[[Data], bool], message: Data) -> bool:
        try:
            answers = is_reply(message)
        except Exception as error:  # noqa: BLE001 - user code: reported, and on
            self._report("is_reply_raised", error=error)
            return False
        if answers and self._unanswered is not None:
            (sent_at, confirmed), self._unanswered = self._unanswered, None
            self._confirmations.confirm(self._loop.time() - sent_at, confirmed)
        return bool(answers)

    def on_drained(self) -> None:
        """Count progress: the network has taken something from the send buffer."""
        # A slow upload is no dead peer: a Pong may have to wait behind megabytes.
        self._last_progress = self._loop.time()

    def pause(self) -> None:
        """Stop the timers, as reading is paused and no answer can arrive."""
        for timer in (self._ping_timer, self._check_timer):
            if timer is not None:
                timer.cancel()
        self._ping_timer = self._check_timer = None

    def stop(self) -> None:
        """Stop for ever, and forget the pings that wait for a Pong."""
        self.pause()
        for pong in tuple(self._pongs):
            pong.cancel()

    def _start_ping_timer(self) -> None:
        if self._ping_timer is not None:
            self._ping_timer.cancel()
        self._next_ping_at = self._loop.time() + self._interval
        self._ping_timer = call_later(self._interval, self._ask_peer)

    def _ask_peer(self) -> None:
        self._start_ping_timer()
        answered = self._last_activity() >= self._pinged_at
        if self._send_ping() and answered:
            self._late_checks = 0
            # The last answer came less than `interval` ago: the peer is dead after the
            # rest of that and `timeout`, and not earlier because this ping was early.
            remaining = self._last_activity() + self._interval - self._loop.time()
            self._expect_answer(max(0.0, remaining) + self._timeout)

    def _send_ping(self) -> bool:
        """Send a Ping frame or the `message`; return False if that is not possible."""
        try:
            pong = self._transport.ping()
            if pong is not None:
                self._watch_pong(pong)
                return True
            message = self._heartbeat.message
            if message is None:
                return False
            data, text = to_wire(message() if callable(message) else message)
            self._transport.send(data, text=text)
        except WSConnectionClosedError:
            # The transport is ending. If it does not report its end, as seen where a
            # socket took nothing and said nothing, the check still ends the connection.
            return True
        except Exception as error:  # noqa: BLE001 - user code: reported, not fatal
            # No ping was sent, so silence would prove nothing: expect no answer.
            self._report("heartbeat_failed", error=error)
            return False
        if self._unanswered is None:
            self._unanswered = self._loop.time(), self._confirmations.handed_over
        return True

    def _watch_pong(self, pong: Awaitable[float]) -> None:
        confirmed = self._confirmations.handed_over
        future = asyncio.ensure_future(pong)
        self._pongs |= {future}

        def answered(done: asyncio.Future[float]) -> None:
            self._pongs -= {done}
            if not done.cancelled() and done.exception() is None:
                self._confirmations.confirm(done.result(), confirmed)

        future.add_done_callback(answered)

    def _last_activity(self) -> float:
        """Return the loop time of the last byte received, or of other progress."""
        # The buffer is compared here as well, since `on_drained()` comes only at the
        # watermark, and a large message may take longer than `timeout` to get there.
        buffered = self._transport.buffered_amount
        if buffered < self._buffered:
            self._last_progress = self._loop.time()
        self._buffered = buffered
        return max(self._last_progress, self._transport.last_activity)

    def _expect_answer(self, within: float) -> None:
        """Check after `within` seconds whether the ping sent now was answered."""
        self._pinged_at = self._loop.time()
        if self._check_timer is not None:
            self._check_timer.cancel()
        expected = ExpectedTime.after(within, self._clock)
        self._check_timer = call_later(within, self._check_answer, expected)

    def _check_answer(self, expected: ExpectedTime) -> None:
        self._check_timer = None
        if self._last_activity() >= self._pinged_at:
            self._late_checks = 0
        elif self._tolerates_late_check(expected):
            self._pinged_at = float("-inf")  # no ping is unanswered if none can be sent
            if self._send_ping():
                self._expect_answer(self._timeout)
        else:
            self._on_expired()

    def _tolerates_late_check(self, expected: ExpectedTime) -> bool:
        """Return whether the check ran so late that the silence may be our own."""
        late = expected.lateness(self._clock)
        if late <= JUMP_THRESHOLD:
            return False
        # Later than any throttling: the page was frozen or the machine asleep. Bytes
        # that arrived meanwhile have not been read yet, however often this happens.
        if late > JUMP_THRESHOLD + _THROTTLED_BY:
            return True
        self._late_checks += 1
        return self._late_checks <= _TOLERATED_LATE_CHECKS
