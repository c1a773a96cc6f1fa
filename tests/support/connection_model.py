"""A model of what a connection's commands do, and a driver that checks every step.

The model knows what the transport, the owner and the timers have been told. A command
that makes no sense to it is a bug of the table.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ws_common.connection.connection_table import (
    TABLE,
    AbandonAsked,
    Abort,
    Attached,
    CloseAsked,
    CloseSeen,
    Command,
    DeadlineExpired,
    Discard,
    EndSeen,
    Event,
    FreezeUnconfirmed,
    KeepaliveExpired,
    Opened,
    PauseAsked,
    PauseReading,
    Phase,
    ReplaceAsked,
    ReportClosing,
    ReportEnd,
    ReportSilence,
    ResumeAsked,
    ResumeReading,
    SendClose,
    StartDeadline,
    StartKeepalive,
    State,
    StopKeepalive,
    TearDown,
    step,
)
from ws_common.vocabulary.transport import CloseInfo

OVER = (Phase.CLOSED, Phase.ABANDONED)

BY_PEER = CloseInfo(code=1001, was_clean=True, initiator="peer")
FAILURE = CloseInfo(code=1002, reason="reserved bits", initiator="local")
ANSWER = CloseInfo(code=1000, was_clean=True, initiator="local")
LOSS = CloseInfo(code=1006)

Step = tuple[Phase, type, Phase]
"""Where a step began, what happened, and where it led."""


@dataclass(frozen=True)
class Model:
    """What was asked for, and what the commands have done.

    Attributes:
        opened: The client has opened it.
        asked: The client has asked for the end, in whatever way.
        given_up: The client has replaced or abandoned it.
        close_seen: The peer, or a failure, began the closing.
        reading: The transport reads.
        keepalive: The keepalive runs.
        deadline: The deadline of the closing runs.
        discards: What it brings is discarded.
        close_sent: The closing handshake has been begun by us.
        frozen: The count of unconfirmed messages was kept.
        freed: The socket is gone.
        torn_down: The teardown is done.
        closing_reported: The owner knows of a closing.
        end_reported: The owner knows of the end.
    """

    opened: bool = False
    asked: bool = False
    given_up: bool = False
    close_seen: bool = False
    reading: bool = True
    keepalive: bool = False
    deadline: bool = False
    discards: bool = False
    close_sent: bool = False
    frozen: bool = False
    freed: bool = False
    torn_down: bool = False
    closing_reported: bool = False
    end_reported: bool = False

    def happened(self, phase: Phase, event: Event) -> "Model":
        """Return the model after an event that happened outside of the table."""
        changes: dict[str, bool] = {}
        match event:
            case Attached() if phase in (Phase.CONNECTING, *OVER):
                changes = {"reading": True, "freed": False}  # as transports begin
            case Opened() if phase is not Phase.ABANDONED:
                changes = {"opened": True}
            case CloseAsked():
                changes = {"asked": True}
            case ReplaceAsked() | AbandonAsked():
                changes = {"asked": True, "given_up": True}
            case CloseSeen() if phase in (Phase.CONNECTING, Phase.OPEN):
                changes = {"close_seen": True}
            case EndSeen():
                changes = {"freed": True}
        return replace(self, **changes)

    def carry_out(self, command: Command) -> "Model":
        """Return the model after a command; fail if the command makes no sense."""
        self._check(command)
        return replace(self, **BROUGHT_ABOUT[type(command)])

    def _check(self, command: Command) -> None:  # noqa: C901 - one case for each command
        match command:
            case PauseReading():
                assert self.reading, "paused twice"
            case ResumeReading():
                assert not self.reading, "resumed twice"
            case StartKeepalive():
                assert not self.keepalive, "a second keepalive"
            case StartDeadline():
                assert not self.deadline, "a second deadline"
            case Discard():
                assert self.asked, "nobody has asked for the end"
            case SendClose():
                assert not self.close_sent, "a second Close frame"
                assert self.discards, "what comes while we close would be delivered"
            case FreezeUnconfirmed():
                assert not self.torn_down, "the teardown has counted already"
            case TearDown():
                assert not self.torn_down, "torn down twice"
            case ReportSilence():
                assert self.keepalive, "the keepalive has asked for nothing"
                assert not self.freed, "how long it was silent is asked of the socket"
            case ReportClosing():
                self._check_informed()
                assert not self.asked, "it has asked for it"
                assert not self.closing_reported, "told twice"
            case ReportEnd():
                self._check_informed()
                assert self.torn_down, "told before the teardown"

    def _check_informed(self) -> None:
        assert self.is_informed, "the owner hears nothing of it"
        assert not self.end_reported, "the end has been told"

    @property
    def is_informed(self) -> bool:
        """Whether the owner is told what happens."""
        return self.opened and not self.given_up


BROUGHT_ABOUT: Mapping[type, Mapping[str, bool]] = {
    PauseReading: {"reading": False},
    ResumeReading: {"reading": True},
    StartKeepalive: {"keepalive": True},
    StopKeepalive: {"keepalive": False},
    StartDeadline: {"deadline": True},
    Discard: {"discards": True},
    SendClose: {"close_sent": True},
    FreezeUnconfirmed: {"frozen": True},
    Abort: {"freed": True},
    TearDown: {"torn_down": True, "deadline": False, "keepalive": False},
    ReportSilence: {},
    ReportClosing: {"closing_reported": True},
    ReportEnd: {"end_reported": True},
}
"""What each command changes in the model."""


@dataclass
class ConnectionDriver:
    """Feeds a connection's table, and checks after every step what has to hold."""

    state: State = field(default_factory=State)
    model: Model = field(default_factory=Model)
    steps: set[Step] = field(default_factory=set)

    def feed(self, event: Event) -> tuple[Command, ...]:
        """Advance by one event."""
        before = self.state
        self.model = self.model.happened(before.phase, event)
        self.state, commands = step(before, event)
        for command in commands:
            self.model = self.model.carry_out(command)
        self._check_edge(before, event, commands)
        self._check_end(before)
        check_agreement(self.state, self.model)
        return commands

    def _check_edge(
        self, before: State, event: Event, commands: tuple[Command, ...]
    ) -> None:
        edge = TABLE.get((before.phase, type(event)))
        if edge is None:
            assert before is self.state
            assert commands == (), "nothing happened: nothing is to be done"
            return
        assert self.state.phase in edge.targets, (before.phase, event, self.state)
        self.steps.add((before.phase, type(event), self.state.phase))

    def _check_end(self, before: State) -> None:
        if before.phase in OVER:
            assert self.state.phase in OVER, "the end is final"
            assert before.end == self.state.end
            assert before.cause == self.state.cause
        if before.phase is Phase.ABANDONED:
            assert before is self.state, "nobody wants to know"


def check_agreement(state: State, model: Model) -> None:
    """What the table knows, and what it has brought about, are the same."""
    over = state.phase in OVER
    assert over == model.torn_down, "torn down at the end, and not before"
    assert over == (state.end is not None)
    assert not over or model.freed, "a socket is left"
    assert (state.phase is Phase.CLOSING) == model.deadline, "a closing has a deadline"
    assert (state.phase is Phase.OPEN) == model.keepalive
    assert model.frozen or over or not state.replaced, "others are counted as its own"
    assert model.asked == model.discards, "what comes is discarded once we asked"
    if not over:
        assert state.paused != model.reading
    if state.phase is Phase.CLOSING:
        assert model.reading, "a Close frame may stand behind what is held back"
        assert model.close_sent or state.closing is not None
    if model.is_informed and state.phase is Phase.CLOSED:
        assert model.end_reported, "the owner waits for ever"
    if model.is_informed and model.close_seen and not model.asked:
        assert model.closing_reported, "the owner does not know of the closing"


def events() -> Iterator[Event]:
    """One of each kind of event, and its variants."""
    yield Attached()
    yield Opened()
    yield PauseAsked()
    yield ResumeAsked()
    yield CloseAsked(4001, "bye")
    yield ReplaceAsked()
    yield AbandonAsked()
    for close in (BY_PEER, FAILURE, ANSWER):
        yield CloseSeen(close)
    for close in (BY_PEER, FAILURE, ANSWER, LOSS):
        yield EndSeen(close)
    yield KeepaliveExpired(LOSS)
    yield DeadlineExpired(LOSS)
