"""The lifecycle of a client, as a table: no clock, no I/O, no asyncio.

Theory of operation. `step(life, event)` looks up (phase, kind of event) in `TABLE`
and returns the new life and the commands to carry out. The supervisor feeds events
and carries out commands; it decides nothing. What the table does not list, does
nothing.

Rules, which the property tests hold it to:

1. Every attempt has an id. An event of an attempt that is not the live one changes
   nothing; a late success of such an attempt is abandoned, which frees its socket.
2. At most one attempt is live. In `CONNECTING`, `OPEN` and `DISCONNECTING` it is
   the one of `life.attempt_id`; in all other phases there is none.
3. `FINISHED` is final, and so is the way there: what is asked for after `close()`
   changes nothing.
4. Whoever asks comes first: connect, reconnect, disconnect and close cut short
   whatever is under way.
5. Every phase but `NEW` and `FINISHED` can be left for `CLOSED` and `FINISHED`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ws_common.lifecycle import (
    Abandon,
    AbortAsked,
    Addressed,
    AnswerConnect,
    AttemptFailed,
    BeginClose,
    CloseAsked,
    ClosingSeen,
    Command,
    ConnectAsked,
    CountEnd,
    DiscardReceived,
    DisconnectAsked,
    Event,
    FailSends,
    Finish,
    LeaveEnvironment,
    Life,
    Lost,
    OpenConnection,
    Opened,
    Phase,
    ReconnectAsked,
    Request,
    Retire,
    RetryDue,
    Settled,
    Show,
    StartAttempt,
    StartStableTimer,
    SteppedAside,
    StopSending,
    StopWaiting,
    TellIdle,
    Wait,
    WatchEnvironment,
)
from ws_common.retry import Run, Stop, Verdict
from ws_common.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
    Reconnecting,
)

# ── The table ───────────────────────────────────────────────────────────────


Step = tuple[Life, tuple[Command, ...]]


class Edge(NamedTuple):
    """Where an event may lead from a phase, and how."""

    targets: tuple[Phase, ...]
    action: Callable[[Life, Any], Step]


_table: dict[tuple[Phase, type], Edge] = {}
TABLE: Mapping[tuple[Phase, type], Edge] = MappingProxyType(_table)
"""(phase, kind of event) -> where it may lead."""

_FINAL = "`close()` is final"
_STALE = "no attempt is live to which this could happen"
_DONE = "the attempt is past that, or not yet there"

IGNORED: Mapping[type, Mapping[str, str]] = MappingProxyType(
    {
        ConnectAsked: {"finished": _FINAL},
        ReconnectAsked: {
            "new": "no URL is known; the caller is told",
            "finished": _FINAL,
        },
        DisconnectAsked: {
            "new": "nothing is open",
            "closed": "nothing is open",
            "finished": _FINAL,
        },
        CloseAsked: {"finished": _FINAL},
        AbortAsked: {"finished": _FINAL},
        Addressed: {"open": _DONE, "disconnecting": _DONE},
        Opened: {"open": _DONE, "disconnecting": _DONE},
        Settled: {
            "connecting": _DONE,
            "disconnecting": "it ends, however long it lived",
        },
        AttemptFailed: {"open": _DONE, "disconnecting": _DONE},
        ClosingSeen: {
            "connecting": "it is told once the attempt has opened it",
            "disconnecting": "one closing is enough",
        },
        Lost: {"connecting": "`AttemptFailed` comes instead"},
        SteppedAside: {"connecting": _DONE, "open": "`Retire` comes before"},
        RetryDue: {
            "connecting": "no wait is under way",
            "open": "no wait is under way",
            "disconnecting": "no wait is under way",
        },
    }
)
"""Kind of event -> phase -> why nothing happens, where the attempt is the live one.

An event of another attempt, or in a phase without one, is stale: `_is_stale`.
"""

_Action = Callable[[Life, Any], Step]


def _edge(
    kind: type, *phases: Phase, to: tuple[Phase, ...]
) -> Callable[[_Action], _Action]:
    def register(action: _Action) -> _Action:
        for phase in phases:
            _table[phase, kind] = Edge(to, action)
        return action

    return register


def step(life: Life, event: Event) -> Step:
    """Advance by one event.

    Returns:
        The life after it, and what is to be done now, in order.
    """
    if _is_stale(life, event):
        return life, (Abandon(event.attempt),) if isinstance(event, Opened) else ()
    edge = _table.get((life.phase, type(event)))
    if edge is None:
        return life, ()  # `IGNORED` says why
    after, commands = edge.action(life, event)
    return after, (
        *_counts(event),
        *_shows(life, after),
        *commands,
        *_finishes(life, after),
    )


def _counts(event: Event) -> tuple[Command, ...]:
    """A loss is counted before anybody is told of it, and may look at the figures."""
    if isinstance(event, Lost):
        return (CountEnd(event.attempt, event.code, event.reason),)
    return ()


def _shows(before: Life, after: Life) -> tuple[Command, ...]:
    """What a new state brings about, whichever edge has led to it."""
    if after.shown is before.shown:
        return ()
    shown = after.shown
    show = Show(shown, after.phase is Phase.FINISHED)
    match shown:
        case Connecting():
            return show, WatchEnvironment()
        case Open():
            attempt = after.attempt_id
            opened = (OpenConnection(attempt), StartStableTimer(attempt))
            return (show, *opened, AnswerConnect())
        case Closed():
            return StopSending(), show, LeaveEnvironment(), TellIdle(shown)
        case _:  # stopped first: `on_event` may send something in that very call
            return StopSending(), show


def _finishes(before: Life, after: Life) -> tuple[Command, ...]:
    if after.phase is not Phase.FINISHED or before.phase is Phase.FINISHED:
        return ()
    assert isinstance(after.shown, Closed)  # noqa: S101 - as `_end` has it
    return (Finish(after.shown),)


_LIVE = (Phase.CONNECTING, Phase.OPEN, Phase.DISCONNECTING)
_IDLE = (Phase.NEW, Phase.CLOSED)


def _is_stale(life: Life, event: Event) -> bool:
    if isinstance(event, Request):
        return False
    live = life.phase in _LIVE
    if isinstance(event, RetryDue):
        live = life.phase is Phase.RECONNECTING
    return not live or event.attempt != life.attempt_id


def _start(life: Life, *commands: Command) -> Step:
    """Begin a new attempt."""
    attempt = life.attempt_id + 1
    life = life._replace(
        phase=Phase.CONNECTING,
        shown=Connecting(life.url, life.run.failures + 1),
        attempt_id=attempt,
        sequel="retry",
    )
    return life, (*commands, StartAttempt(attempt))


def _end(life: Life, closed: Closed, *commands: Command, finish: bool = False) -> Step:
    """Come to rest: nothing is open and nothing is coming."""
    phase = Phase.FINISHED if finish else Phase.CLOSED
    life = life._replace(phase=phase, shown=closed, run=Run(), sequel="retry")
    return life, (*commands, FailSends())


def _obey(life: Life, verdict: Verdict, code: int | None, reason: str | None) -> Step:
    """Wait for the next attempt, or stop."""
    life = life._replace(run=verdict.run)
    if isinstance(verdict, Stop):
        return _end(life, Closed(code, reason, verdict.error))
    shown = Reconnecting(
        attempt=verdict.run.failures + 1,
        delay=verdict.delay,
        at=verdict.at,
        close_code=code,
        close_reason=reason,
        error=verdict.error,
    )
    life = life._replace(phase=Phase.RECONNECTING, shown=shown)
    return life, (Wait(life.attempt_id, verdict.delay),)


# What was asked for


def _aim(life: Life, event: ConnectAsked) -> tuple[Life, tuple[Command, ...]]:
    """Aim at the target of a `connect()`; what waited for another is not sent to it."""
    if event.same_target:
        return life._replace(url=event.url, run=Run()), ()
    life = life._replace(url=event.url, run=Run(), connected_before=False)
    return life, (FailSends(),)


@_edge(ConnectAsked, *_IDLE, to=(Phase.CONNECTING,))
@_edge(ConnectAsked, Phase.RECONNECTING, to=(Phase.CONNECTING,))
@_edge(ConnectAsked, Phase.CONNECTING, to=(Phase.CONNECTING,))
def _connect(life: Life, event: ConnectAsked) -> Step:
    aimed, fail = _aim(life, event)
    return _start(aimed, *_cut_short(life), *fail)


@_edge(ReconnectAsked, Phase.CLOSED, to=(Phase.CONNECTING,))
@_edge(ReconnectAsked, Phase.RECONNECTING, to=(Phase.CONNECTING,))
@_edge(ReconnectAsked, Phase.CONNECTING, to=(Phase.CONNECTING,))
def _reconnect(life: Life, _: ReconnectAsked) -> Step:
    return _start(life._replace(run=Run()), *_cut_short(life))


def _cut_short(life: Life) -> tuple[Command, ...]:
    if life.phase is Phase.CONNECTING:
        return (Abandon(life.attempt_id),)
    if life.phase is Phase.RECONNECTING:
        return (StopWaiting(life.attempt_id),)
    return ()


@_edge(ConnectAsked, Phase.OPEN, Phase.DISCONNECTING, to=(Phase.DISCONNECTING,))
def _replace(life: Life, event: ConnectAsked) -> Step:
    if life.sequel == "finish":
        return life, ()
    aimed, fail = _aim(life, event)
    return _step_aside(aimed, *fail)


@_edge(ReconnectAsked, Phase.OPEN, Phase.DISCONNECTING, to=(Phase.DISCONNECTING,))
def _renew(life: Life, _: ReconnectAsked) -> Step:
    if life.sequel == "finish":
        return life, ()
    return _step_aside(life._replace(run=Run()))


def _step_aside(life: Life, *commands: Command) -> Step:
    """Let the connection close out of sight: a silent peer holds nobody up."""
    shown = life.shown
    if life.phase is Phase.OPEN:
        shown = Disconnecting(1000, "")
    life = life._replace(phase=Phase.DISCONNECTING, shown=shown, sequel="retry")
    assert isinstance(shown, Disconnecting)  # noqa: S101 - what this phase shows
    count = CountEnd(life.attempt_id, shown.close_code, shown.close_reason)
    return life, (*commands, Retire(life.attempt_id), count)


@_edge(DisconnectAsked, Phase.CONNECTING, Phase.RECONNECTING, to=(Phase.CLOSED,))
@_edge(CloseAsked, Phase.CONNECTING, Phase.RECONNECTING, to=(Phase.FINISHED,))
@_edge(CloseAsked, *_IDLE, to=(Phase.FINISHED,))
def _stop(life: Life, event: DisconnectAsked | CloseAsked) -> Step:
    finish = isinstance(event, CloseAsked)
    commands = _cut_short(life)
    if life.phase not in _IDLE:  # interceptors may still hold messages
        commands = (*commands, DiscardReceived(life.attempt_id))
    return _end(life, _at_rest(life), *commands, finish=finish)


def _at_rest(life: Life) -> Closed:
    """What is shown after an end that was asked for: how the last connection ended."""
    if isinstance(life.shown, Reconnecting | Closed | Disconnecting):
        return Closed(life.shown.close_code, life.shown.close_reason)
    return Closed()


@_edge(DisconnectAsked, Phase.OPEN, to=(Phase.DISCONNECTING,))
@_edge(CloseAsked, Phase.OPEN, to=(Phase.DISCONNECTING,))
def _close(life: Life, event: DisconnectAsked | CloseAsked) -> Step:
    life = life._replace(
        phase=Phase.DISCONNECTING,
        shown=Disconnecting(event.code, event.reason),
        sequel="finish" if isinstance(event, CloseAsked) else "stay",
    )
    begin = BeginClose(life.attempt_id, event.code, event.reason)
    return life, (begin, DiscardReceived(life.attempt_id), FailSends())


@_edge(DisconnectAsked, Phase.DISCONNECTING, to=(Phase.DISCONNECTING,))
@_edge(CloseAsked, Phase.DISCONNECTING, to=(Phase.DISCONNECTING,))
def _stay(life: Life, event: DisconnectAsked | CloseAsked) -> Step:
    finish = isinstance(event, CloseAsked) or life.sequel == "finish"
    discard = DiscardReceived(life.attempt_id)
    return life._replace(sequel="finish" if finish else "stay"), (discard, FailSends())


@_edge(
    AbortAsked, Phase.CONNECTING, Phase.RECONNECTING, to=(Phase.CLOSED, Phase.FINISHED)
)
@_edge(AbortAsked, Phase.OPEN, Phase.DISCONNECTING, to=(Phase.CLOSED, Phase.FINISHED))
@_edge(AbortAsked, *_IDLE, to=(Phase.CLOSED, Phase.FINISHED))
def _abort(life: Life, event: AbortAsked) -> Step:
    commands = _cut_short(life)
    closed = _at_rest(life)
    if life.phase in (Phase.OPEN, Phase.DISCONNECTING):
        commands = Abandon(life.attempt_id), CountEnd(life.attempt_id, 1006, "")
        closed = Closed(1006, "")
    finish = event.finish or life.sequel == "finish"
    return _end(life, closed, *commands, finish=finish)


# What happened


@_edge(Addressed, Phase.CONNECTING, to=(Phase.CONNECTING,))
def _addressed(life: Life, event: Addressed) -> Step:
    shown = Connecting(event.url, life.run.failures + 1)
    return life._replace(url=event.url, shown=shown), ()


@_edge(Opened, Phase.CONNECTING, to=(Phase.OPEN,))
def _opened(life: Life, event: Opened) -> Step:
    connection = life.connections + 1
    shown = Open(life.url, event.protocol, connection)
    life = life._replace(
        phase=Phase.OPEN, shown=shown, connections=connection, settled=False
    )
    return life, ()


@_edge(Settled, Phase.OPEN, to=(Phase.OPEN,))
def _settled(life: Life, _: Settled) -> Step:
    return life._replace(settled=True, connected_before=True, run=Run()), ()


@_edge(AttemptFailed, Phase.CONNECTING, to=(Phase.RECONNECTING, Phase.CLOSED))
def _attempt_failed(life: Life, event: AttemptFailed) -> Step:
    return _obey(life, event.verdict, None, None)


@_edge(ClosingSeen, Phase.OPEN, to=(Phase.DISCONNECTING,))
def _closing_seen(life: Life, event: ClosingSeen) -> Step:
    shown = Disconnecting(event.code, event.reason)
    return life._replace(phase=Phase.DISCONNECTING, shown=shown, sequel="retry"), ()


@_edge(Lost, Phase.OPEN, to=(Phase.RECONNECTING, Phase.CLOSED))
def _lost(life: Life, event: Lost) -> Step:
    return _obey(life, event.verdict, event.code, event.reason)


@_edge(
    Lost,
    Phase.DISCONNECTING,
    to=(Phase.RECONNECTING, Phase.CLOSED, Phase.FINISHED),
)
def _gone(life: Life, event: Lost) -> Step:
    if life.sequel == "retry":
        return _obey(life, event.verdict, event.code, event.reason)
    closed = Closed(event.code, event.reason)
    return _end(life, closed, finish=life.sequel == "finish")


@_edge(
    SteppedAside,
    Phase.DISCONNECTING,
    to=(Phase.CONNECTING, Phase.CLOSED, Phase.FINISHED),
)
def _stepped_aside(life: Life, _: SteppedAside) -> Step:
    if life.sequel == "retry":
        return _start(life)
    return _end(life, _at_rest(life), finish=life.sequel == "finish")


@_edge(RetryDue, Phase.RECONNECTING, to=(Phase.CONNECTING,))
def _retry_due(life: Life, _: RetryDue) -> Step:
    return _start(life._replace(run=life.run.retried()))
