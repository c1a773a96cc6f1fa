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

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ws_common.lifecycle.client_state import (
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
from ws_common.lifecycle.retry import Run, Stop, Verdict
from ws_common.lifecycle.state_machine import Table
from ws_common.lifecycle.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
    Reconnecting,
)

# ── The table ───────────────────────────────────────────────────────────────


Step = tuple[Life, tuple[Command, ...]]


TABLE: Final = Table()

_FINAL = "`close()` is final"
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

_LIVE = (Phase.CONNECTING, Phase.OPEN, Phase.DISCONNECTING)
_IDLE = (Phase.NEW, Phase.CLOSED)
_COMING = (Phase.CONNECTING, Phase.RECONNECTING)
_CONNECTED = (Phase.OPEN, Phase.DISCONNECTING)


def step(life: Life, event: Event) -> Step:
    """Advance by one event.

    Returns:
        The life after it, and what is to be done now, in order.
    """
    if _is_stale(life, event):
        return life, (Abandon(event.attempt),) if isinstance(event, Opened) else ()
    edge = TABLE.get((life.phase, type(event)))
    if edge is None:
        return life, ()  # `IGNORED` says why
    after, commands = edge.action(life, event)
    counted: tuple[Command, ...] = ()
    if isinstance(event, Lost):  # before anybody is told, who may look at the figures
        counted = (CountEnd(event.code, event.reason),)
    return after, (*counted, *_shows(life, after), *commands)


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
            timer = StartStableTimer(after.attempt_id)
            return show, OpenConnection(), timer, AnswerConnect()
        case Closed():
            return StopSending(), show, LeaveEnvironment(), TellIdle(shown)
        case _:  # stopped first: `on_event` may send something in that very call
            return StopSending(), show


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
    finished = (Finish(closed),) if finish else ()
    return life, (*commands, FailSends(), *finished)


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


def _aim(life: Life, event: ConnectAsked | ReconnectAsked) -> Step:
    """Aim at the target of the call; what waited for another is not sent to it."""
    life = life._replace(run=Run())
    if isinstance(event, ReconnectAsked):
        return life, ()
    if event.same_target:
        return life._replace(url=event.url), ()
    return life._replace(url=event.url, connected_before=False), (FailSends(),)


@TABLE.edge(ConnectAsked, at=(*_IDLE, *_COMING), to=(Phase.CONNECTING,))
@TABLE.edge(ReconnectAsked, at=(Phase.CLOSED, *_COMING), to=(Phase.CONNECTING,))
def _connect(life: Life, event: ConnectAsked | ReconnectAsked) -> Step:
    aimed, fail = _aim(life, event)
    return _start(aimed, *_cut_short(life), *fail)


def _cut_short(life: Life) -> tuple[Command, ...]:
    if life.phase is Phase.CONNECTING:
        return (Abandon(life.attempt_id),)
    if life.phase is Phase.RECONNECTING:
        return (StopWaiting(life.attempt_id),)
    return ()


@TABLE.edge(ConnectAsked, ReconnectAsked, at=_CONNECTED, to=(Phase.DISCONNECTING,))
def _replace(life: Life, event: ConnectAsked | ReconnectAsked) -> Step:
    """Let the connection close out of sight: a silent peer holds nobody up."""
    if life.sequel == "finish":
        return life, ()
    aimed, fail = _aim(life, event)
    shown = life.shown
    if life.phase is Phase.OPEN:
        shown = Disconnecting(1000, "")
    assert isinstance(shown, Disconnecting)  # noqa: S101 - what this phase shows
    after = aimed._replace(phase=Phase.DISCONNECTING, shown=shown, sequel="retry")
    count = CountEnd(shown.close_code, shown.close_reason)
    return after, (*fail, Retire(life.attempt_id), count)


@TABLE.edge(DisconnectAsked, at=_COMING, to=(Phase.CLOSED,))
@TABLE.edge(CloseAsked, at=(*_IDLE, *_COMING), to=(Phase.FINISHED,))
def _stop(life: Life, event: DisconnectAsked | CloseAsked) -> Step:
    finish = isinstance(event, CloseAsked)
    commands = _cut_short(life)
    if life.phase not in _IDLE:  # interceptors may still hold messages
        commands = (*commands, DiscardReceived())
    return _end(life, _at_rest(life), *commands, finish=finish)


def _at_rest(life: Life) -> Closed:
    """What is shown after an end that was asked for: how the last connection ended."""
    if isinstance(life.shown, Reconnecting | Closed | Disconnecting):
        return Closed(life.shown.close_code, life.shown.close_reason)
    return Closed()


@TABLE.edge(DisconnectAsked, CloseAsked, at=(Phase.OPEN,), to=(Phase.DISCONNECTING,))
def _close(life: Life, event: DisconnectAsked | CloseAsked) -> Step:
    life = life._replace(
        phase=Phase.DISCONNECTING,
        shown=Disconnecting(event.code, event.reason),
        sequel="finish" if isinstance(event, CloseAsked) else "stay",
    )
    begin = BeginClose(life.attempt_id, event.code, event.reason)
    return life, (begin, DiscardReceived(), FailSends())


@TABLE.edge(DisconnectAsked, CloseAsked, at=(Phase.DISCONNECTING,))
def _stay(life: Life, event: DisconnectAsked | CloseAsked) -> Step:
    finish = isinstance(event, CloseAsked) or life.sequel == "finish"
    life = life._replace(sequel="finish" if finish else "stay")
    return life, (DiscardReceived(), FailSends())


@TABLE.edge(
    AbortAsked,
    at=(*_IDLE, *_COMING, *_CONNECTED),
    to=(Phase.CLOSED, Phase.FINISHED),
)
def _abort(life: Life, event: AbortAsked) -> Step:
    commands = _cut_short(life)
    closed = _at_rest(life)
    if life.phase in _CONNECTED:
        commands = Abandon(life.attempt_id), CountEnd(1006, "")
        closed = Closed(1006, "")
    finish = event.finish or life.sequel == "finish"
    return _end(life, closed, *commands, finish=finish)


# What happened


@TABLE.edge(Addressed, at=(Phase.CONNECTING,))
def _addressed(life: Life, event: Addressed) -> Step:
    shown = Connecting(event.url, life.run.failures + 1)
    return life._replace(url=event.url, shown=shown), ()


@TABLE.edge(Opened, at=(Phase.CONNECTING,), to=(Phase.OPEN,))
def _opened(life: Life, event: Opened) -> Step:
    connection = life.connections + 1
    shown = Open(life.url, event.protocol, connection)
    life = life._replace(
        phase=Phase.OPEN, shown=shown, connections=connection, settled=False
    )
    return life, ()


@TABLE.edge(Settled, at=(Phase.OPEN,))
def _settled(life: Life, _: Settled) -> Step:
    return life._replace(settled=True, connected_before=True, run=Run()), ()


@TABLE.edge(
    AttemptFailed, at=(Phase.CONNECTING,), to=(Phase.RECONNECTING, Phase.CLOSED)
)
def _attempt_failed(life: Life, event: AttemptFailed) -> Step:
    return _obey(life, event.verdict, None, None)


@TABLE.edge(ClosingSeen, at=(Phase.OPEN,), to=(Phase.DISCONNECTING,))
def _closing_seen(life: Life, event: ClosingSeen) -> Step:
    shown = Disconnecting(event.code, event.reason)
    return life._replace(phase=Phase.DISCONNECTING, shown=shown, sequel="retry"), ()


@TABLE.edge(Lost, at=(Phase.OPEN,), to=(Phase.RECONNECTING, Phase.CLOSED))
@TABLE.edge(
    Lost,
    at=(Phase.DISCONNECTING,),
    to=(Phase.RECONNECTING, Phase.CLOSED, Phase.FINISHED),
)
def _lost(life: Life, event: Lost) -> Step:
    if life.sequel == "retry":
        return _obey(life, event.verdict, event.code, event.reason)
    closed = Closed(event.code, event.reason)
    return _end(life, closed, finish=life.sequel == "finish")


@TABLE.edge(
    SteppedAside,
    at=(Phase.DISCONNECTING,),
    to=(Phase.CONNECTING, Phase.CLOSED, Phase.FINISHED),
)
def _stepped_aside(life: Life, _: SteppedAside) -> Step:
    if life.sequel == "retry":
        return _start(life)
    return _end(life, _at_rest(life), finish=life.sequel == "finish")


@TABLE.edge(RetryDue, at=(Phase.RECONNECTING,), to=(Phase.CONNECTING,))
def _retry_due(life: Life, _: RetryDue) -> Step:
    return _start(life._replace(run=life.run.retried()))
