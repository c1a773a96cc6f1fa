"""The states of one connection as a table: no clock, no I/O, no asyncio.

Theory of operation. `step(state, event)` looks up (phase, kind of event) and returns
the new state and the commands to carry out, in order. The `Connection` feeds events
and carries out commands; it decides nothing. Every pair of a phase and an event is
either in `TABLE` or in `IGNORED`, with the reason.

A connection exists before its socket does, and is open for the client only after
`after_connect`. The state keeps whatever the transport reports before that, and
`Opened` reports it to the owner. So the owner is always told of the opening first,
then of the closing handshake, then of the end.

The property tests check these rules:

1. A connection ends once: one that is CLOSED or ABANDONED is torn down exactly once,
   and its owner is told of the end at most once.
2. Nothing is delivered after the client has asked for the end. A connection that is
   closing is read, since the Close frame may stand behind messages that were held.
3. A deadline runs from the moment that a closing handshake begins.
4. Nothing is reported of a connection that was replaced or abandoned.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

from ws_common.lifecycle.state_machine import Table
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.transport import CloseInfo


class Phase(Enum):
    """The nodes of the diagram.

    CONNECTING includes `after_connect`; ABANDONED means that the socket was freed
    without a closing handshake, because the client no longer wants the connection.
    """

    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    ABANDONED = "abandoned"


class State(NamedTuple):
    """Everything that the table knows of a connection.

    Attributes:
        phase: The node of the diagram.
        opened: Whether the client has opened the connection; only then is anything
            reported to the owner.
        asked: Whether the client has asked for the end.
        replaced: Whether the connection closes in the background; nothing more is
            reported to the owner.
        paused: Whether reading is paused.
        closing: What is known of the closing handshake; None before a Close frame
            came or the protocol failed.
        end: How the connection ended; None before that.
        cause: Why the connection ended.
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
    """The client has opened the connection: `after_connect` is done."""


class PauseAsked(NamedTuple):
    """More messages wait to be read than the high watermark allows."""


class ResumeAsked(NamedTuple):
    """The messages that wait to be read are below the low watermark again."""


class CloseAsked(NamedTuple):
    """The client closes the connection."""

    code: int | None = 1000
    reason: str | None = ""


class ReplaceAsked(NamedTuple):
    """The client opens another connection; this one closes in the background."""


class AbandonAsked(NamedTuple):
    """The client no longer wants the connection, and waits for no handshake."""


class CloseSeen(NamedTuple):
    """The transport reports a Close frame, or a failure of the protocol."""

    close: CloseInfo


class EndSeen(NamedTuple):
    """The transport reports that it has ended."""

    close: CloseInfo


class KeepaliveExpired(NamedTuple):
    """The peer has sent nothing within the time of the keepalive."""

    close: CloseInfo


class DeadlineExpired(NamedTuple):
    """The closing handshake took longer than `close_timeout`."""

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
    """Stop reading the socket, and pause the keepalive."""


class ResumeReading(NamedTuple):
    """Read the socket again, and resume the keepalive."""


class StartKeepalive(NamedTuple):
    """Start the keepalive, if a heartbeat is configured."""


class StopKeepalive(NamedTuple):
    """Stop the keepalive."""


class StartDeadline(NamedTuple):
    """Feed `DeadlineExpired` after `close_timeout`."""


class Discard(NamedTuple):
    """Count what the connection brings from now on instead of delivering it."""


class SendClose(NamedTuple):
    """Begin the closing handshake."""

    code: int | None
    reason: str | None


class FreezeUnconfirmed(NamedTuple):
    """Keep the number of unconfirmed messages before another connection adds to it."""


class Abort(NamedTuple):
    """Free the socket at once, without a closing handshake."""


class TearDown(NamedTuple):
    """Release everything, and wake those who wait for the connection."""


class ReportSilence(NamedTuple):
    """Report `heartbeat_missed`, and for how long the peer was silent."""


class ReportClosing(NamedTuple):
    """Report to the owner a closing that the client has not asked for."""

    close: CloseInfo


class ReportEnd(NamedTuple):
    """Report to the owner that the connection has ended."""

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

_OVER = "the connection has ended"
_NO_PAUSE = "a closing connection is always read, one that has ended never"

IGNORED: Mapping[tuple[Phase, type], str] = MappingProxyType(
    {
        (
            Phase.CLOSING,
            Attached,
        ): "the server has closed it already",
        (Phase.OPEN, Attached): "the connection has its transport already",
        (Phase.OPEN, Opened): "the connection is open already",
        (Phase.ABANDONED, Opened): "the client no longer wants the connection",
        (Phase.CLOSING, PauseAsked): _NO_PAUSE,
        (Phase.CLOSED, PauseAsked): _NO_PAUSE,
        (Phase.ABANDONED, PauseAsked): _NO_PAUSE,
        (Phase.CLOSING, ResumeAsked): "a closing connection is read already",
        (Phase.CLOSED, ResumeAsked): _OVER,
        (Phase.ABANDONED, ResumeAsked): _OVER,
        (Phase.ABANDONED, CloseAsked): _OVER,
        (Phase.ABANDONED, ReplaceAsked): _OVER,
        (Phase.ABANDONED, AbandonAsked): "the connection is abandoned already",
        (Phase.CLOSED, CloseSeen): _OVER,
        (Phase.ABANDONED, CloseSeen): _OVER,
        (Phase.CLOSED, EndSeen): "the keepalive or the deadline has ended it before",
        (Phase.ABANDONED, EndSeen): _OVER,
        (
            Phase.CONNECTING,
            KeepaliveExpired,
        ): "the keepalive has not started",
        (
            Phase.CLOSING,
            KeepaliveExpired,
        ): "the deadline of the closing decides",
        (Phase.CLOSED, KeepaliveExpired): _OVER,
        (Phase.ABANDONED, KeepaliveExpired): _OVER,
        (Phase.CONNECTING, DeadlineExpired): "no closing handshake has begun",
        (Phase.OPEN, DeadlineExpired): "no closing handshake has begun",
        (Phase.CLOSED, DeadlineExpired): _OVER,
        (Phase.ABANDONED, DeadlineExpired): _OVER,
    }
)
"""(phase, kind of event) -> why the event changes nothing."""


_CAUSES: Mapping[str, Cause] = MappingProxyType(
    {"peer": "peer_closed", "local": "protocol_failure"}
)
"""Who ended a connection that the client had not closed -> the cause of the end."""


def step(state: State, event: Event) -> Step:
    """Advance by one event.

    Returns:
        The new state, and the commands to carry out, in order.
    """
    edge = TABLE.get((state.phase, type(event)))
    return (state, ()) if edge is None else edge.action(state, event)


# What the client asks for


@TABLE.edge(Attached, at=(Phase.CONNECTING,))
def _attached(state: State, _: Attached) -> Step:
    # The pause came before there was a transport to pause: a connection that replaces
    # one whose messages still wait to be read begins above the watermark.
    return state, (PauseReading(),) if state.paused else ()


@TABLE.edge(Attached, at=(Phase.CLOSED, Phase.ABANDONED))
def _attached_too_late(state: State, _: Attached) -> Step:
    # The connector has succeeded after the attempt was given up. Nobody else knows
    # this socket, so that it would stay open for ever.
    return state, (Abort(),)


@TABLE.edge(Opened, at=(Phase.CONNECTING,), to=(Phase.OPEN,))
def _opened(state: State, _: Opened) -> Step:
    return state._replace(phase=Phase.OPEN, opened=True), (StartKeepalive(),)


@TABLE.edge(Opened, at=(Phase.CLOSING, Phase.CLOSED))
def _opened_too_late(state: State, _: Opened) -> Step:
    """Report what happened before the connection was open for the client.

    A server that accepts and closes at once does so while `after_connect` runs.
    """
    # Random sequences of events have found both cases: a second `Opened` reported
    # everything again, and one after `ReplaceAsked` reported a forgotten connection.
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
    # `paused` is False in the new state before `ResumeReading` is carried out: the
    # transport delivers what it held inside that call, which may ask for a pause.
    return state._replace(paused=False), _resume_reading(state)


def _resume_reading(state: State) -> tuple[Command, ...]:
    return (ResumeReading(),) if state.paused else ()


@TABLE.edge(CloseAsked, at=(Phase.CONNECTING, Phase.OPEN), to=(Phase.CLOSING,))
def _close(state: State, event: CloseAsked) -> Step:
    closing = state._replace(phase=Phase.CLOSING, asked=True, paused=False)
    # Discard before reading is resumed: what the transport held back would come out
    # of `ResumeReading` and be delivered after `disconnect()`. Resume, because the
    # peer's Close frame, and even the end of TCP, are not seen on a socket that is not
    # read: a closing would always take the whole of `close_timeout`. The deadline
    # starts before the Close frame is sent, since sending it may raise.
    return closing, (
        Discard(),
        *_resume_reading(state),
        StopKeepalive(),
        StartDeadline(),
        SendClose(event.code, event.reason),
    )


@TABLE.edge(CloseAsked, at=(Phase.CLOSING, Phase.CLOSED))
def _close_again(state: State, _: CloseAsked) -> Step:
    """Discard what waits: the peer has begun the handshake, or the connection ended."""
    # No second Close frame (RFC 6455, section 5.5.1), and the deadline runs already.
    # In CLOSED too: a connection that was lost between `disconnect()` and this event,
    # inside `on_event`, went on delivering what waited for an interceptor.
    return state._replace(asked=True), (Discard(),)


@TABLE.edge(
    ReplaceAsked, at=(Phase.CONNECTING, Phase.OPEN, Phase.CLOSING), to=(Phase.CLOSING,)
)
def _replace(state: State, _: ReplaceAsked) -> Step:
    if state.replaced:
        return state, ()
    # Counted before anything else: the next connection begins to send while this one
    # closes, and both count in the same counters.
    action = _close_again if state.phase is Phase.CLOSING else _close
    closing, commands = action(state, CloseAsked())
    return closing._replace(replaced=True), (FreezeUnconfirmed(), *commands)


@TABLE.edge(ReplaceAsked, at=(Phase.CLOSED,))
def _replace_ended(state: State, _: ReplaceAsked) -> Step:
    """Discard what waits of a connection that has ended by itself."""
    return state._replace(replaced=True), (Discard(),)


@TABLE.edge(
    AbandonAsked,
    at=(Phase.CONNECTING, Phase.OPEN, Phase.CLOSING),
    to=(Phase.ABANDONED,),
)
def _abandon(state: State, _: AbandonAsked) -> Step:
    # Without a handshake the code is 1006 (RFC 6455, section 7.4.1). If the peer has
    # sent a Close frame before, its code says more.
    end = state.closing or CloseInfo(code=1006, initiator="local")
    state = state._replace(phase=Phase.ABANDONED, end=end, cause="abandoned")
    return state, (Discard(), Abort(), TearDown())


@TABLE.edge(AbandonAsked, at=(Phase.CLOSED,), to=(Phase.ABANDONED,))
def _abandon_ended(state: State, _: AbandonAsked) -> Step:
    return state._replace(phase=Phase.ABANDONED), (Discard(),)


# What the transport and the timers report


@TABLE.edge(CloseSeen, at=(Phase.CONNECTING, Phase.OPEN), to=(Phase.CLOSING,))
def _close_seen(state: State, event: CloseSeen) -> Step:
    closing = state._replace(phase=Phase.CLOSING, paused=False, closing=event.close)
    # No message follows a Close frame (RFC 6455, section 5.5.1), so nothing can run
    # over; but the end of TCP follows, which is only seen while the socket is read.
    reports = (ReportClosing(event.close),) if state.opened else ()
    return closing, (
        *_resume_reading(state),
        StopKeepalive(),
        StartDeadline(),
        *reports,
    )


@TABLE.edge(CloseSeen, at=(Phase.CLOSING,))
def _close_seen_again(state: State, event: CloseSeen) -> Step:
    """Keep the first Close frame: a later one is the answer to ours."""
    return state._replace(closing=state.closing or event.close), ()


@TABLE.edge(
    EndSeen, at=(Phase.CONNECTING, Phase.OPEN, Phase.CLOSING), to=(Phase.CLOSED,)
)
def _end_seen(state: State, event: EndSeen) -> Step:
    # Whoever asked for the end gets "closed", whatever the peer did meanwhile: that
    # the network failed while we closed is no reason to reconnect.
    cause = _CAUSES.get(event.close.initiator, "network_lost")
    return _end(state, "closed" if state.asked else cause, event.close)


@TABLE.edge(KeepaliveExpired, at=(Phase.OPEN,), to=(Phase.CLOSED,))
def _keepalive_expired(state: State, event: KeepaliveExpired) -> Step:
    # Aborted, not closed: no answer would come to a Close frame. `websockets` closes
    # here, and needs another `close_timeout`: 11.5 s were measured for 1 s + 0.5 s.
    # The report comes first, as it asks the transport for the time of the last byte.
    return _end(state, "heartbeat_timeout", event.close, ReportSilence(), Abort())


@TABLE.edge(DeadlineExpired, at=(Phase.CLOSING,), to=(Phase.CLOSED,))
def _deadline_expired(state: State, event: DeadlineExpired) -> Step:
    # The handshake may be complete, and only TCP be held open by the peer (RFC 6455,
    # section 7.1.1, has the server close it). Then its Close frame tells how it ended.
    return _end(state, "close_timeout", state.closing or event.close, Abort())


def _end(state: State, cause: Cause, close: CloseInfo, *commands: Command) -> Step:
    ended = state._replace(phase=Phase.CLOSED, end=close, cause=cause)
    is_reported = state.opened and not state.replaced
    reports = (ReportEnd(cause, close),) if is_reported else ()
    # Torn down before the owner knows: it may open the next connection in that call.
    return ended, (*commands, TearDown(), *reports)
