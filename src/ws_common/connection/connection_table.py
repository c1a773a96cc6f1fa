"""The life of one connection, as a table: no clock, no I/O, no asyncio.

Theory of operation. `step(state, event)` looks up (phase, kind of event) and returns
the new state and the commands to carry out, in order. The `Connection` feeds events
and carries out commands; it decides nothing. Every pair of a phase and an event is
either in `TABLE` or in `IGNORED`, with the reason.

A connection exists before its socket does, and is open for the client only after
`after_connect`. Whatever the transport reports before that is kept in the state and
told to the owner when `Opened` comes, so that the owner always hears of a closing and
of the end after the opening.

Rules, which the property tests hold it to:

1. The end comes once: a connection that is CLOSED or ABANDONED is torn down exactly
   once, and its owner hears of the end at most once.
2. Nothing is delivered after we asked for the end, and what is closing is read on: a
   Close frame may stand behind what is held back.
3. From the moment a closing begins a deadline runs.
4. Whoever replaces or abandons a connection is told nothing of it any more.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

from ws_common.lifecycle.state_machine import Table
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.transport import CloseInfo


class Phase(Enum):
    """The nodes of the diagram."""

    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    ABANDONED = "abandoned"


class State(NamedTuple):
    """Everything that the machine knows.

    Attributes:
        phase: Where in the diagram.
        opened: Whether the client has opened it: the owner hears of what follows.
        asked: Whether we asked for the end.
        replaced: Whether it closes in the background, and the owner hears nothing.
        paused: Whether reading is paused.
        closing: What is known of the closing handshake, once a Close frame came or
            the protocol failed.
        end: How it ended.
        cause: Why it ended.
    """

    phase: Phase = Phase.CONNECTING
    opened: bool = False
    asked: bool = False
    replaced: bool = False
    paused: bool = False
    closing: CloseInfo | None = None
    end: CloseInfo | None = None
    cause: Cause = "network_lost"


# ── Events ──────────────────────────────────────────────────────────────────


class Attached(NamedTuple):
    """The connector has returned the transport."""


class Opened(NamedTuple):
    """The client has opened it: `after_connect` is done."""


class PauseAsked(NamedTuple):
    """What waits to be read is above its limit."""


class ResumeAsked(NamedTuple):
    """What waits to be read is well below its limit again."""


class CloseAsked(NamedTuple):
    """The client closes it."""

    code: int | None = 1000
    reason: str | None = ""


class ReplaceAsked(NamedTuple):
    """The client opens another one; this one closes in the background."""


class AbandonAsked(NamedTuple):
    """The client wants nothing of it any more."""


class CloseSeen(NamedTuple):
    """The transport reports a Close frame, or a failure of the protocol."""

    close: CloseInfo


class EndSeen(NamedTuple):
    """The transport reports its end."""

    close: CloseInfo


class KeepaliveExpired(NamedTuple):
    """The peer gave no sign of life in time."""

    close: CloseInfo


class DeadlineExpired(NamedTuple):
    """The closing took longer than `close_timeout`."""

    close: CloseInfo


Event = (
    Attached
    | Opened
    | PauseAsked
    | ResumeAsked
    | CloseAsked
    | ReplaceAsked
    | AbandonAsked
    | CloseSeen
    | EndSeen
    | KeepaliveExpired
    | DeadlineExpired
)

# ── Commands ────────────────────────────────────────────────────────────────


class PauseReading(NamedTuple):
    """Stop reading the socket; silence says nothing from here on."""


class ResumeReading(NamedTuple):
    """Read the socket again."""


class StartKeepalive(NamedTuple):
    """Begin to ask for signs of life."""


class StopKeepalive(NamedTuple):
    """Ask for no more signs of life."""


class StartDeadline(NamedTuple):
    """Feed `DeadlineExpired` after `close_timeout`."""


class Discard(NamedTuple):
    """Deliver nothing more of what the connection brings; count it instead."""


class SendClose(NamedTuple):
    """Begin the closing handshake."""

    code: int | None
    reason: str | None


class FreezeUnconfirmed(NamedTuple):
    """Remember how many messages are unconfirmed now: others come to be counted."""


class Abort(NamedTuple):
    """Free the socket now."""


class TearDown(NamedTuple):
    """Release everything, and tell those who wait for the connection."""


class ReportSilence(NamedTuple):
    """Tell the owner that the peer gave no sign of life."""


class ReportClosing(NamedTuple):
    """Tell the owner that a closing has begun that we did not ask for."""

    close: CloseInfo


class ReportEnd(NamedTuple):
    """Tell the owner that it is over."""

    cause: Cause
    close: CloseInfo


Command = (
    PauseReading
    | ResumeReading
    | StartKeepalive
    | StopKeepalive
    | StartDeadline
    | Discard
    | SendClose
    | FreezeUnconfirmed
    | Abort
    | TearDown
    | ReportSilence
    | ReportClosing
    | ReportEnd
)

# ── The table ───────────────────────────────────────────────────────────────

Step = tuple[State, tuple[Command, ...]]


TABLE: Final = Table()

_OVER = "it is over"
_NOT_READ_ANYWAY = "what closes is read, and what is over is not"

IGNORED: Mapping[tuple[Phase, type], str] = MappingProxyType(
    {
        (Phase.CLOSING, Attached): "the server closed it before we looked at it",
        (Phase.OPEN, Attached): "it has its transport",
        (Phase.OPEN, Opened): "it is open",
        (Phase.ABANDONED, Opened): "nobody wants it any more",
        (Phase.CLOSING, PauseAsked): _NOT_READ_ANYWAY,
        (Phase.CLOSED, PauseAsked): _NOT_READ_ANYWAY,
        (Phase.ABANDONED, PauseAsked): _NOT_READ_ANYWAY,
        (Phase.CLOSING, ResumeAsked): "it is read already",
        (Phase.CLOSED, ResumeAsked): _OVER,
        (Phase.ABANDONED, ResumeAsked): _OVER,
        (Phase.ABANDONED, CloseAsked): _OVER,
        (Phase.ABANDONED, ReplaceAsked): _OVER,
        (Phase.ABANDONED, AbandonAsked): "once is enough",
        (Phase.CLOSED, CloseSeen): _OVER,
        (Phase.ABANDONED, CloseSeen): _OVER,
        (Phase.CLOSED, EndSeen): "we were first: keepalive or deadline",
        (Phase.ABANDONED, EndSeen): _OVER,
        (Phase.CONNECTING, KeepaliveExpired): "keepalive begins when it opens",
        (Phase.CLOSING, KeepaliveExpired): "the deadline of the closing holds",
        (Phase.CLOSED, KeepaliveExpired): _OVER,
        (Phase.ABANDONED, KeepaliveExpired): _OVER,
        (Phase.CONNECTING, DeadlineExpired): "no closing has begun",
        (Phase.OPEN, DeadlineExpired): "no closing has begun",
        (Phase.CLOSED, DeadlineExpired): _OVER,
        (Phase.ABANDONED, DeadlineExpired): _OVER,
    }
)
"""(phase, kind of event) -> why nothing happens."""


_CAUSES: Mapping[str, Cause] = MappingProxyType(
    {"peer": "peer_closed", "local": "protocol_failure"}
)
"""Who ended it, where we did not ask for that -> why it ended."""


def step(state: State, event: Event) -> Step:
    """Advance by one event.

    Returns:
        The state after it, and what is to be done now, in order.
    """
    edge = TABLE.get((state.phase, type(event)))
    return (state, ()) if edge is None else edge.action(state, event)


# What the client asks for


@TABLE.edge(Attached, at=(Phase.CONNECTING,))
def _attached(state: State, _: Attached) -> Step:
    return state, (PauseReading(),) if state.paused else ()


@TABLE.edge(Attached, at=(Phase.CLOSED, Phase.ABANDONED))
def _attached_too_late(state: State, _: Attached) -> Step:
    return state, (Abort(),)


@TABLE.edge(Opened, at=(Phase.CONNECTING,), to=(Phase.OPEN,))
def _opened(state: State, _: Opened) -> Step:
    return state._replace(phase=Phase.OPEN, opened=True), (StartKeepalive(),)


@TABLE.edge(Opened, at=(Phase.CLOSING, Phase.CLOSED))
def _opened_too_late(state: State, _: Opened) -> Step:
    """Tell the owner what happened before it could be told."""
    if state.opened or state.replaced:
        return state._replace(opened=True), ()
    reports: tuple[Command, ...] = ()
    if state.closing is not None and not state.asked:
        reports = (ReportClosing(state.closing),)
    if state.end is not None:
        reports = (*reports, ReportEnd(state.cause, state.end))
    return state._replace(opened=True), reports


@TABLE.edge(PauseAsked, at=(Phase.CONNECTING, Phase.OPEN))
def _pause(state: State, _: PauseAsked) -> Step:
    return state._replace(paused=True), () if state.paused else (PauseReading(),)


@TABLE.edge(ResumeAsked, at=(Phase.CONNECTING, Phase.OPEN))
def _resume(state: State, _: ResumeAsked) -> Step:
    return state._replace(paused=False), _resume_reading(state)


def _resume_reading(state: State) -> tuple[Command, ...]:
    return (ResumeReading(),) if state.paused else ()


@TABLE.edge(CloseAsked, at=(Phase.CONNECTING, Phase.OPEN), to=(Phase.CLOSING,))
def _close(state: State, event: CloseAsked) -> Step:
    closing = state._replace(phase=Phase.CLOSING, asked=True, paused=False)
    return closing, (
        Discard(),
        *_resume_reading(state),
        StopKeepalive(),
        StartDeadline(),
        SendClose(event.code, event.reason),
    )


@TABLE.edge(CloseAsked, at=(Phase.CLOSING, Phase.CLOSED))
def _close_again(state: State, _: CloseAsked) -> Step:
    """The peer was first: its Close was answered, and the deadline runs.

    Or it has ended by itself. What it has brought is not delivered any more.
    """
    return state._replace(asked=True), (Discard(),)


@TABLE.edge(
    ReplaceAsked, at=(Phase.CONNECTING, Phase.OPEN, Phase.CLOSING), to=(Phase.CLOSING,)
)
def _replace(state: State, _: ReplaceAsked) -> Step:
    if state.replaced:
        return state, ()
    action = _close_again if state.phase is Phase.CLOSING else _close
    closing, commands = action(state, CloseAsked())
    return closing._replace(replaced=True), (FreezeUnconfirmed(), *commands)


@TABLE.edge(ReplaceAsked, at=(Phase.CLOSED,))
def _replace_ended(state: State, _: ReplaceAsked) -> Step:
    """What it has brought is not delivered any more, though it ended by itself."""
    return state._replace(replaced=True), (Discard(),)


@TABLE.edge(
    AbandonAsked,
    at=(Phase.CONNECTING, Phase.OPEN, Phase.CLOSING),
    to=(Phase.ABANDONED,),
)
def _abandon(state: State, _: AbandonAsked) -> Step:
    end = state.closing or CloseInfo(code=1006, initiator="local")
    state = state._replace(phase=Phase.ABANDONED, end=end, cause="abandoned")
    return state, (Discard(), Abort(), TearDown())


@TABLE.edge(AbandonAsked, at=(Phase.CLOSED,), to=(Phase.ABANDONED,))
def _abandon_ended(state: State, _: AbandonAsked) -> Step:
    return state._replace(phase=Phase.ABANDONED), (Discard(),)


# What happens to it


@TABLE.edge(CloseSeen, at=(Phase.CONNECTING, Phase.OPEN), to=(Phase.CLOSING,))
def _close_seen(state: State, event: CloseSeen) -> Step:
    closing = state._replace(phase=Phase.CLOSING, paused=False, closing=event.close)
    # No message follows; what does is the end of TCP, and that must be read.
    reports = (ReportClosing(event.close),) if state.opened else ()
    return closing, (
        *_resume_reading(state),
        StopKeepalive(),
        StartDeadline(),
        *reports,
    )


@TABLE.edge(CloseSeen, at=(Phase.CLOSING,))
def _close_seen_again(state: State, event: CloseSeen) -> Step:
    """The answer to ours; the first that was seen counts."""
    return state._replace(closing=state.closing or event.close), ()


@TABLE.edge(
    EndSeen, at=(Phase.CONNECTING, Phase.OPEN, Phase.CLOSING), to=(Phase.CLOSED,)
)
def _end_seen(state: State, event: EndSeen) -> Step:
    cause = _CAUSES.get(event.close.initiator, "network_lost")
    return _end(state, "closed" if state.asked else cause, event.close)


@TABLE.edge(KeepaliveExpired, at=(Phase.OPEN,), to=(Phase.CLOSED,))
def _keepalive_expired(state: State, event: KeepaliveExpired) -> Step:
    return _end(state, "heartbeat_timeout", event.close, ReportSilence(), Abort())


@TABLE.edge(DeadlineExpired, at=(Phase.CLOSING,), to=(Phase.CLOSED,))
def _deadline_expired(state: State, event: DeadlineExpired) -> Step:
    return _end(state, "close_timeout", state.closing or event.close, Abort())


def _end(state: State, cause: Cause, close: CloseInfo, *commands: Command) -> Step:
    ended = state._replace(phase=Phase.CLOSED, end=close, cause=cause)
    is_reported = state.opened and not state.replaced
    reports = (ReportEnd(cause, close),) if is_reported else ()
    return ended, (*commands, TearDown(), *reports)
