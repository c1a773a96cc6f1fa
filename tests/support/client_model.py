"""A model of what the machine's commands do, and a driver that checks every step.

The model is the supervisor boiled down: it knows which attempt has a socket, how far
that is, and which timer runs. A command that makes no sense to it is a bug of the
machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ws_common.lifecycle import client_state as l
from ws_common.lifecycle.client_state import Command, Event, Life, Phase
from ws_common.lifecycle.client_table import TABLE, step
from ws_common.lifecycle.retry import Retry, Run, Stop, Verdict
from ws_common.lifecycle.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
    Reconnecting,
)
from ws_common.vocabulary.errors import (
    WSConnectionClosedError,
    WSError,
    WSHandshakeError,
)

LIVE = frozenset({Phase.CONNECTING, Phase.OPEN, Phase.DISCONNECTING})
SHOWN = {
    Phase.NEW: Closed,
    Phase.CONNECTING: Connecting,
    Phase.OPEN: Open,
    Phase.DISCONNECTING: Disconnecting,
    Phase.RECONNECTING: Reconnecting,
    Phase.CLOSED: Closed,
    Phase.FINISHED: Closed,
}
"""The state that applications see in each phase."""

REFUSED = WSHandshakeError("refused", status=503)
LOST = WSConnectionClosedError(close_code=1006)
NOW = datetime(2030, 1, 1, tzinfo=UTC)

Step = tuple[Phase, type, Phase]
"""Where a step began, what happened, and where it led."""


def again(run: Run | None = None, error: WSError = LOST, delay: float = 1.5) -> Verdict:
    """A verdict to try again."""
    return Retry(run=run or Run(failures=1), error=error, delay=delay, at=NOW)


def enough(error: WSError = LOST) -> Verdict:
    """A verdict to stop."""
    return Stop(run=Run(failures=3), error=error)


@dataclass
class Model:
    """What exists in the world because of the commands.

    Attributes:
        live: The attempt that has a task or a socket.
        status: How far it is: "connecting", "open", "closing" or "retiring".
        waiting: The attempt whose timer runs.
        started: The last attempt that was started.
        retired: Attempts that were told to step aside.
    """

    live: int | None = None
    status: str = ""
    waiting: int | None = None
    started: int = 0
    retired: set[int] = field(default_factory=set)

    def happened(self, event: Event) -> None:
        """Let the world be what the event says it is."""
        match event:
            case l.RetryDue(attempt=attempt):
                if attempt == self.waiting:
                    self.waiting = None
            case l.Opened(attempt=self.live) if self.status == "connecting":
                self.status = "open"
            case l.ClosingSeen(attempt=self.live) if self.status == "open":
                self.status = "closing"
            case l.AttemptFailed(attempt=self.live) if self.status == "connecting":
                self.live = None
            case l.Lost(attempt=self.live) if self.status != "connecting":
                self.live = None
            case l.SteppedAside(attempt=self.live) if self.status == "retiring":
                self.live = None
            case _:
                pass

    def carry_out(self, command: Command, event: Event) -> None:
        """Do as told, or say that it cannot be done."""
        match command:
            case l.StartAttempt(attempt):
                assert self.live is None, f"a second live attempt: {command}"
                assert self.waiting is None, f"an attempt beside a timer: {command}"
                assert self.started + 1 == attempt, "ids are never used twice"
                self.live = self.started = attempt
                self.status = "connecting"
            case l.Abandon(attempt):
                if attempt == self.live:
                    self.live = None
                else:
                    late = isinstance(event, l.Opened) and event.attempt == attempt
                    assert late, f"{command} for a dead attempt"
            case l.BeginClose(attempt):
                assert (self.live, self.status) == (attempt, "open"), command
                self.status = "closing"
            case l.Retire(attempt):
                assert attempt == self.live, f"{command} for a dead attempt"
                assert self.status != "connecting", command
                self.status = "retiring"
                self.retired.add(attempt)
            case l.Wait(attempt, delay):
                assert self.live is None, f"{command} beside a live attempt"
                assert self.waiting is None, f"a second timer: {command}"
                assert self.started == attempt
                assert delay >= 0
                self.waiting = attempt
            case l.StopWaiting(attempt):
                assert self.waiting == attempt, f"{command}, and no such timer"
                self.waiting = None
            case l.FailSends():
                pass


@dataclass
class Driver:
    """Feeds a machine, and checks after every step what has to hold."""

    life: Life = field(default_factory=Life)
    model: Model = field(default_factory=Model)
    wish: type | None = None
    steps: set[Step] = field(default_factory=set)

    def feed(self, event: Event) -> tuple[Command, ...]:
        """Advance by one event."""
        before = self.life
        self.model.happened(event)
        self.life, commands = step(before, event)
        for command in commands:
            self.model.carry_out(command, event)
        self._check_edge(before, event, commands)
        self._check_wish(event, commands)
        check_agreement(self.life, self.model)
        check_can_be_closed(self.life)
        return commands

    def _check_edge(
        self, before: Life, event: Event, commands: tuple[Command, ...]
    ) -> None:
        if self.life is before:
            late = isinstance(event, l.Opened)
            freed = late and all(isinstance(one, l.Abandon) for one in commands)
            assert freed or not commands, "nothing happened: nothing is to be done"
            return
        edge = TABLE.get((before.phase, type(event)))
        assert edge is not None, f"no edge for {event} in {before.phase}"
        assert self.life.phase in edge.targets, (before.phase, event, self.life.phase)
        assert self.life.attempt_id - before.attempt_id in (0, 1)
        assert before.phase is not Phase.FINISHED, "FINISHED is final"
        self.steps.add((before.phase, type(event), self.life.phase))

    def _check_wish(self, event: Event, commands: tuple[Command, ...]) -> None:
        """Whoever asked last is obeyed, and `close()` can never be taken back."""
        if isinstance(event, l.Request) and not self._closing_for_good():
            self.wish = type(event)
        starts = any(isinstance(command, l.StartAttempt) for command in commands)
        if starts:
            assert self.wish in (l.ConnectAsked, l.ReconnectAsked), (
                f"{event} started an attempt after {self.wish}"
            )
        if self._closing_for_good():
            assert self.life.phase in (Phase.DISCONNECTING, Phase.FINISHED)

    def _closing_for_good(self) -> bool:
        return self.wish is l.CloseAsked or self.life.phase is Phase.FINISHED


def check_agreement(life: Life, model: Model) -> None:
    """What is shown, what is known and what exists are the same."""
    assert type(life.shown) is SHOWN[life.phase]
    assert (life.phase in LIVE) == (model.live is not None)
    assert (life.phase is Phase.RECONNECTING) == (model.waiting is not None)
    assert model.started == life.attempt_id
    if model.live is not None:
        assert model.live == life.attempt_id, "the live attempt is the last one"
    statuses = {
        Phase.CONNECTING: ("connecting",),
        Phase.OPEN: ("open",),
        Phase.DISCONNECTING: ("closing", "retiring"),
    }
    assert model.status in statuses.get(life.phase, (model.status,))
    if life.phase in (Phase.NEW, Phase.CLOSED, Phase.FINISHED):
        assert Run() == life.run, "at rest nothing is held against the target"


def check_can_be_closed(life: Life) -> None:
    """From here, `close()` and `disconnect()` come to their end."""
    attempt = life.attempt_id
    gone = l.Lost(attempt=attempt, code=1000, reason="", verdict=again())
    aside = l.SteppedAside(attempt=attempt)
    for last in (gone, aside):
        closed, _ = step(step(life, l.CloseAsked())[0], last)
        assert closed.phase is Phase.FINISHED
    aborted, _ = step(life, l.AbortAsked(finish=True))
    assert aborted.phase is Phase.FINISHED
    if life.sequel == "finish" or life.phase is Phase.FINISHED:
        return
    for last in (gone, aside):
        rested, _ = step(step(life, l.DisconnectAsked())[0], last)
        assert rested.phase in (Phase.CLOSED, Phase.NEW)
    aborted, _ = step(life, l.AbortAsked())
    assert aborted.phase is Phase.CLOSED


def requests() -> Iterator[Event]:
    """One of each kind of request, and its variants."""
    yield l.ConnectAsked(url="ws://other.example/")
    yield l.ConnectAsked(url="ws://same.example/", same_target=True)
    yield l.ReconnectAsked()
    yield l.DisconnectAsked(code=1000, reason="bye")
    yield l.CloseAsked(code=None)
    yield l.AbortAsked()
    yield l.AbortAsked(finish=True)


def occurrences(attempt: int, retired: set[int]) -> Iterator[Event]:
    """Everything that can happen to one attempt, at its time or not.

    Args:
        attempt: Its id.
        retired: What was told to step aside; nothing else ever does.
    """
    yield l.Addressed(attempt=attempt, url="ws://found.example/")
    yield l.Opened(attempt=attempt, protocol="chat")
    yield l.Settled(attempt=attempt)
    for verdict in (again(error=REFUSED), enough(REFUSED)):
        yield l.AttemptFailed(attempt=attempt, error=REFUSED, verdict=verdict)
    yield l.ClosingSeen(attempt=attempt, code=1001, reason="going")
    for verdict in (again(), enough()):
        yield l.Lost(attempt=attempt, code=1006, reason="", verdict=verdict)
    if attempt in retired:
        yield l.SteppedAside(attempt=attempt)
    yield l.RetryDue(attempt=attempt)
