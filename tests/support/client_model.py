"""A model of what the commands of the client's table do, and a driver that uses it.

The model is a small supervisor: it knows which attempt has a socket, how far it is, and
which timer runs. A command that the model cannot carry out is a bug of the table. The
driver checks after every step what has to hold.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ws_common.lifecycle import client_state as l
from ws_common.lifecycle.client_state import ClientState, Command, Event, Phase
from ws_common.lifecycle.client_table import TABLE, step
from ws_common.lifecycle.failure_streak import FailureStreak
from ws_common.lifecycle.retry import Retry, RetryDecision, Stop
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

URL = "ws://example.org/"

LIVE = frozenset({Phase.CONNECTING, Phase.OPEN, Phase.DISCONNECTING})
PUBLIC_STATES = {
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


def retry_decision(
    streak: FailureStreak | None = None,
    error: WSError = LOST,
    delay: float = 1.5,
) -> RetryDecision:
    """A decision to try again."""
    return Retry(
        streak=streak or FailureStreak(failures=1),
        error=error,
        delay=delay,
        at=NOW,
    )


def stop_decision(error: WSError = LOST) -> RetryDecision:
    """A decision to stop."""
    return Stop(streak=FailureStreak(failures=3), error=error)


@dataclass
class Model:
    """What exists because of the commands.

    Attributes:
        live: The attempt that has a task or a socket.
        status: How far this attempt is: "connecting", "open", "closing" or "replaced".
        waiting: The attempt whose timer runs.
        started: The last attempt that was started.
        replaced: The attempts that a later one has replaced.
    """

    live: int | None = None
    status: str = ""
    waiting: int | None = None
    started: int = 0
    replaced: set[int] = field(default_factory=set)

    def apply(self, event: Event) -> None:
        """Change the model to what the event says."""
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
            case l.Replaced(attempt=self.live) if self.status == "replaced":
                self.live = None
            case _:
                pass

    def carry_out(self, command: Command, event: Event) -> None:
        """Carry out a command, or fail if that makes no sense."""
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
            case l.CloseInBackground(attempt):
                assert attempt == self.live, f"{command} for a dead attempt"
                assert self.status != "connecting", command
                self.status = "replaced"
                self.replaced.add(attempt)
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

    client_state: ClientState = field(default_factory=ClientState)
    model: Model = field(default_factory=Model)
    last_request: type | None = None
    steps: set[Step] = field(default_factory=set)

    def feed(self, event: Event) -> tuple[Command, ...]:
        """Advance by one event."""
        before = self.client_state
        self.model.apply(event)
        self.client_state, commands = step(before, event)
        for command in commands:
            self.model.carry_out(command, event)
        self._check_edge(before, event, commands)
        self._check_last_request(event, commands)
        check_agreement(self.client_state, self.model)
        check_can_be_closed(self.client_state)
        return commands

    def _check_edge(
        self, before: ClientState, event: Event, commands: tuple[Command, ...]
    ) -> None:
        if self.client_state is before:
            late = isinstance(event, l.Opened)
            freed = late and all(isinstance(one, l.Abandon) for one in commands)
            assert freed or not commands, "an event that does nothing has no commands"
            return
        edge = TABLE.get((before.phase, type(event)))
        assert edge is not None, f"no edge for {event} in {before.phase}"
        assert self.client_state.phase in edge.targets, (
            before.phase,
            event,
            self.client_state.phase,
        )
        assert self.client_state.attempt_id - before.attempt_id in (0, 1)
        assert before.phase is not Phase.FINISHED, "FINISHED is final"
        self.steps.add((before.phase, type(event), self.client_state.phase))

    def _check_last_request(self, event: Event, commands: tuple[Command, ...]) -> None:
        """The last request counts, and `close()` is final."""
        if isinstance(event, l.Request) and not self._is_finishing():
            self.last_request = type(event)
        starts = any(isinstance(command, l.StartAttempt) for command in commands)
        if starts:
            assert self.last_request in (l.ConnectAsked, l.ReconnectAsked), (
                f"{event} started an attempt after {self.last_request}"
            )
        if self._is_finishing():
            assert self.client_state.phase in (Phase.DISCONNECTING, Phase.FINISHED)

    def _is_finishing(self) -> bool:
        return (
            self.last_request is l.CloseAsked
            or self.client_state.phase is Phase.FINISHED
        )


def check_agreement(client_state: ClientState, model: Model) -> None:
    """The public state, the phase and the model agree."""
    assert type(client_state.public_state) is PUBLIC_STATES[client_state.phase]
    assert (client_state.phase in LIVE) == (model.live is not None)
    assert (client_state.phase is Phase.RECONNECTING) == (model.waiting is not None)
    assert model.started == client_state.attempt_id
    if model.live is not None:
        assert model.live == client_state.attempt_id, "the live attempt is the last one"
    statuses = {
        Phase.CONNECTING: ("connecting",),
        Phase.OPEN: ("open",),
        Phase.DISCONNECTING: ("closing", "replaced"),
    }
    assert model.status in statuses.get(client_state.phase, (model.status,))
    if client_state.phase in (Phase.NEW, Phase.CLOSED, Phase.FINISHED):
        assert FailureStreak() == client_state.streak, (
            "the failure streak ends with the client"
        )


def check_can_be_closed(client_state: ClientState) -> None:
    """`close()` and `disconnect()` come to their end from this state."""
    attempt = client_state.attempt_id
    lost_event = l.Lost(
        attempt=attempt, code=1000, reason="", decision=retry_decision()
    )
    replaced_event = l.Replaced(attempt=attempt)
    for last in (lost_event, replaced_event):
        closed, _ = step(step(client_state, l.CloseAsked())[0], last)
        assert closed.phase is Phase.FINISHED
    aborted, _ = step(client_state, l.AbortAsked(finish=True))
    assert aborted.phase is Phase.FINISHED
    if client_state.after_close == "finish" or client_state.phase is Phase.FINISHED:
        return
    for last in (lost_event, replaced_event):
        rested, _ = step(step(client_state, l.DisconnectAsked())[0], last)
        assert rested.phase in (Phase.CLOSED, Phase.NEW)
    aborted, _ = step(client_state, l.AbortAsked())
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


def occurrences(attempt: int, replaced: set[int]) -> Iterator[Event]:
    """Everything that can happen to one attempt, at the right time or not.

    Args:
        attempt: The id of the attempt.
        replaced: The attempts that were replaced: `Replaced` comes of these alone.
    """
    yield l.UrlResolved(attempt=attempt, url="ws://found.example/")
    yield l.Opened(attempt=attempt, protocol="chat")
    yield l.BecameStable(attempt=attempt)
    for decision in (retry_decision(error=REFUSED), stop_decision(REFUSED)):
        yield l.AttemptFailed(attempt=attempt, error=REFUSED, decision=decision)
    yield l.ClosingSeen(attempt=attempt, code=1001, reason="going")
    for decision in (retry_decision(), stop_decision()):
        yield l.Lost(attempt=attempt, code=1006, reason="", decision=decision)
    if attempt in replaced:
        yield l.Replaced(attempt=attempt)
    yield l.RetryDue(attempt=attempt)


def state_in(phase: Phase) -> ClientState:
    """Return the state at the end of the shortest path to a phase."""
    opened: list[Event] = [l.ConnectAsked(url=URL), l.Opened(attempt=1)]
    paths: dict[Phase, list[Event]] = {
        Phase.NEW: [],
        Phase.CONNECTING: opened[:1],
        Phase.OPEN: opened,
        Phase.DISCONNECTING: [*opened, l.ClosingSeen(attempt=1, code=1, reason="")],
        Phase.RECONNECTING: [*opened, lost()],
        Phase.CLOSED: [*opened, lost(stop_decision())],
        Phase.FINISHED: [l.CloseAsked()],
    }
    driver = Driver()
    for event in paths[phase]:
        driver.feed(event)
    assert phase is driver.client_state.phase
    return driver.client_state


def lost(decision: RetryDecision | None = None, attempt: int = 1) -> l.Lost:
    """A connection that was lost abnormally."""
    return l.Lost(
        attempt=attempt, code=1006, reason="", decision=decision or retry_decision()
    )
