"""What should happen by the table of a connection, on a simulated clock."""

from collections import deque
from collections.abc import Callable

from tests.support.connection_pair import (
    CLOSE_TIMEOUT,
    ENDS,
    HEARTBEAT,
    PROBE,
    Reactions,
    Side,
    facts,
)
from ws_common.connection import connection_table as c
from ws_common.connection.connection_table import Phase, State
from ws_common.options.heartbeat import Heartbeat


class ReferenceSide(Side):
    """The pure table with a queue of events, and simulated timers.

    Args:
        clock: Tells the time in the beginning.
    """

    def __init__(
        self, reactions: Reactions, clock: Callable[[], float], *, heartbeat: bool
    ) -> None:
        super().__init__(reactions)
        self.state = State()
        self.sent = 0
        self.frozen = 0
        self.rooms: list[str] = []
        self._now = clock()
        self._events: deque[c.Event] = deque()
        self._has_heartbeat = heartbeat
        self._closes = 0
        # The time
        self._deadline: float | None = None
        self._keepalive: Heartbeat | None = None
        self._asks = False
        self._listens = False
        self._last_activity = self._heard_at = self._now
        self._probed: float | None = None

    # Time

    def wait(self, delay: float) -> None:
        """Advance the clock, and feed what is due in that time."""
        target = self._now + delay
        while (due := self._next_due()) is not None and due[0] <= target:
            self._now, event = due
            self._feed(event)
        self._now = target

    def _next_due(self) -> tuple[float, c.Event] | None:
        lost = ENDS["loss"]
        if self._deadline is not None:
            return self._deadline, c.DeadlineExpired(lost)
        expires = self._expires_at()
        return None if expires is None else (expires, c.KeepaliveExpired(lost))

    def _expires_at(self) -> float | None:
        """When the keepalive expires if the peer stays silent."""
        if self._keepalive is None or not self._listens:
            return None
        if self._probed is not None and self._last_activity < self._probed:
            return self._probed + float(self._keepalive.timeout)
        if not self._asks:
            return None
        interval, timeout = self._keepalive.interval, self._keepalive.timeout
        return self._last_activity + float(interval) + float(timeout)

    # What is played

    def do_attach(self) -> None:
        self._feed(c.Attached())
        if self.state.phase is Phase.ABANDONED:
            self.emit("attached too late")

    def do_open(self) -> None:
        self._feed(c.Opened())

    def do_close(self) -> None:
        self._feed(c.CloseAsked(4001, "bye"))

    def do_replace(self) -> None:
        self._feed(c.ReplaceAsked())

    def do_abandon(self) -> None:
        self._feed(c.AbandonAsked())

    def do_pause(self) -> None:
        self._advance(c.PauseAsked())

    def do_resume(self) -> None:
        self._advance(c.ResumeAsked())

    def do_probe(self) -> None:
        if self.state.phase is not Phase.OPEN or self.state.paused:
            return
        self._keepalive = self._keepalive or PROBE
        self._listens = True
        self._probed = self._now

    def do_send(self) -> None:
        refuses = self._ended or self._aborts or self._closes
        if self.is_over or refuses or self.state.closing is not None:
            self.emit("not sent")
        else:
            self.sent += 1

    def do_others(self) -> None:
        self.sent += 1

    def do_wait_for_room(self) -> None:
        self.rooms.append("lost" if self.is_over else "waits")

    def do_message(self) -> None:
        self.do_byte()
        self.emit("push", ["m"], 1)

    def do_byte(self) -> None:
        self._last_activity = self._heard_at = self._now

    def do_drain(self) -> None:
        self._last_activity = self._now
        self._end_waits("room")
        if not self.state.replaced:
            self.emit("writable")

    def do_closing(self, how: str) -> None:
        self._feed(c.CloseSeen(ENDS[how]))

    def do_closed(self, how: str) -> None:
        self._feed(c.EndSeen(ENDS[how]))

    # The table

    def _feed(self, event: c.Event) -> None:
        self._events.append(event)
        if len(self._events) > 1:
            return
        while self._events:
            self._advance(self._events[0])
            self._events.popleft()

    def _advance(self, event: c.Event) -> None:
        self.state, commands = c.step(self.state, event)
        for command in commands:
            self._carry_out(command)

    def _carry_out(self, command: c.Command) -> None:  # noqa: C901, PLR0912 - one case for each command
        match command:
            case c.PauseReading():
                self._listens, self._probed = False, None
                self._emit_from_transport("pause")
            case c.ResumeReading():
                self._last_activity, self._listens = self._now, self._asks
                self._emit_from_transport("resume")
            case c.StartKeepalive() if self._has_heartbeat:
                self._keepalive, self._asks = HEARTBEAT, True
                self._last_activity, self._listens = (
                    self._now,
                    not self.state.paused,
                )
            case c.StopKeepalive():
                self._asks = self._listens = False
            case c.StartDeadline():
                self._deadline = self._now + CLOSE_TIMEOUT
            case c.Discard():
                self.emit("discard")
            case c.SendClose(code, reason):
                self._closes += self._attached
                self._emit_from_transport("close", code, reason)
            case c.FreezeUnconfirmed():
                self.frozen = self.sent
            case c.Abort():
                if self._attached:
                    self.emit_abort()
            case c.TearDown():
                self._tear_down()
            case c.ReportSilence():
                self.emit("heartbeat_missed", self._now - self._heard_at)
            case c.ReportClosing(close):
                self.emit("report closing", *facts(close))
            case c.ReportEnd(cause, close):
                self.emit("report end", cause, *facts(close))

    def _emit_from_transport(self, name: str, *what: object) -> None:
        if self._attached:
            self.emit(name, *what)

    def _tear_down(self) -> None:
        if not self.state.replaced:
            self.frozen = self.sent
        self._deadline = None
        self._asks = self._listens = False
        self._end_waits("lost")
        assert self.state.end is not None
        self.emit("ended", self.state.end.code, self.state.end.reason)
        if self.unconfirmed and self.state.opened:
            self.emit("messages_unconfirmed", self.unconfirmed)

    def _end_waits(self, outcome: str) -> None:
        self.rooms = [outcome if one == "waits" else one for one in self.rooms]

    @property
    def unconfirmed(self) -> int:
        """How many messages may not have arrived; only an answer to our Close says."""
        close = self.state.end or self.state.closing
        if close is not None and close.was_clean and close.initiator == "local":
            return 0
        frozen = self.is_over or self.state.replaced
        return self.frozen if frozen else self.sent

    @property
    def is_over(self) -> bool:
        return self.state.phase in (Phase.CLOSED, Phase.ABANDONED)
