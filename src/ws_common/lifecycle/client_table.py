"""The lifecycle of a client, as a table: no clock, no I/O, no asyncio.

Theory of operation. `step(state, event)` looks up (phase, kind of event) in `TABLE`
and returns the new life and the commands to carry out. The supervisor feeds events
and carries out commands; it decides nothing. What the table does not list, does
nothing.

Rules, which the property tests hold it to:

1. Every attempt has an id. An event of an attempt that is not the live one changes
   nothing; a late success of such an attempt is abandoned, which frees its socket.
2. At most one attempt is live. In `CONNECTING`, `OPEN` and `DISCONNECTING` it is
   the one of `state.attempt_id`; in all other phases there is none.
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
    AnswerConnect,
    AttemptFailed,
    BecameStable,
    BeginClose,
    ClientState,
    CloseAsked,
    CloseInBackground,
    ClosingSeen,
    Command,
    ConnectAsked,
    CountEnd,
    DiscardReceived,
    DisconnectAsked,
    Event,
    FailSends,
    Finish,
    Lost,
    OpenConnection,
    Opened,
    Phase,
    PublishState,
    ReconnectAsked,
    Replaced,
    ReportIdle,
    Request,
    RetryDue,
    StartAttempt,
    StartStableTimer,
    StopSending,
    StopWaiting,
    StopWatchingEnvironment,
    UrlResolved,
    Wait,
    WatchEnvironment,
)
from ws_common.lifecycle.failure_streak import FailureStreak
from ws_common.lifecycle.retry import RetryDecision, Stop
from ws_common.lifecycle.state_machine import Table
from ws_common.lifecycle.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
    Reconnecting,
)

# ── The table ───────────────────────────────────────────────────────────────


Step = tuple[ClientState, tuple[Command, ...]]


TABLE: Final = Table()

_CLOSE_IS_FINAL = "`close()` is final"
_WRONG_STAGE = "the attempt is past that, or not yet there"

IGNORED: Mapping[type, Mapping[str, str]] = MappingProxyType(
    {
        ConnectAsked: {"finished": _CLOSE_IS_FINAL},
        ReconnectAsked: {
            "new": "no URL is known; the caller is told",
            "finished": _CLOSE_IS_FINAL,
        },
        DisconnectAsked: {
            "new": "nothing is open",
            "closed": "nothing is open",
            "finished": _CLOSE_IS_FINAL,
        },
        CloseAsked: {"finished": _CLOSE_IS_FINAL},
        AbortAsked: {"finished": _CLOSE_IS_FINAL},
        UrlResolved: {"open": _WRONG_STAGE, "disconnecting": _WRONG_STAGE},
        Opened: {"open": _WRONG_STAGE, "disconnecting": _WRONG_STAGE},
        BecameStable: {
            "connecting": _WRONG_STAGE,
            "disconnecting": "it ends, however long it lived",
        },
        AttemptFailed: {
            "open": _WRONG_STAGE,
            "disconnecting": _WRONG_STAGE,
        },
        ClosingSeen: {
            "connecting": "it is told once the attempt has opened it",
            "disconnecting": "one closing is enough",
        },
        Lost: {"connecting": "`AttemptFailed` comes instead"},
        Replaced: {
            "connecting": _WRONG_STAGE,
            "open": "`CloseInBackground` comes before",
        },
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
_PENDING = (Phase.CONNECTING, Phase.RECONNECTING)
_CONNECTED = (Phase.OPEN, Phase.DISCONNECTING)


def step(state: ClientState, event: Event) -> Step:
    """Advance by one event.

    Returns:
        The life after it, and what is to be done now, in order.
    """
    if _is_stale(state, event):
        return state, (Abandon(event.attempt),) if isinstance(event, Opened) else ()
    edge = TABLE.get((state.phase, type(event)))
    if edge is None:
        return state, ()  # `IGNORED` says why
    after, commands = edge.action(state, event)
    count_end: tuple[Command, ...] = ()
    if isinstance(event, Lost):  # before anybody is told, who may look at the figures
        count_end = (CountEnd(event.code, event.reason),)
    return after, (*count_end, *commands_of_change(state, after), *commands)


def commands_of_change(before: ClientState, after: ClientState) -> tuple[Command, ...]:
    """What a new state brings about, whichever edge has led to it."""
    if after.public_state is before.public_state:
        return ()
    public_state = after.public_state
    publish = PublishState(public_state, after.phase is Phase.FINISHED)
    match public_state:
        case Connecting():
            return publish, WatchEnvironment()
        case Open():
            timer = StartStableTimer(after.attempt_id)
            return publish, OpenConnection(), timer, AnswerConnect()
        case Closed():
            return (
                StopSending(),
                publish,
                StopWatchingEnvironment(),
                ReportIdle(public_state),
            )
        case _:  # stopped first: `on_event` may send something in that very call
            return StopSending(), publish


def _is_stale(state: ClientState, event: Event) -> bool:
    if isinstance(event, Request):
        return False
    live = state.phase in _LIVE
    if isinstance(event, RetryDue):
        live = state.phase is Phase.RECONNECTING
    return not live or event.attempt != state.attempt_id


def _start_attempt(state: ClientState, *commands: Command) -> Step:
    """Begin a new attempt."""
    attempt = state.attempt_id + 1
    state = state._replace(
        phase=Phase.CONNECTING,
        public_state=Connecting(state.url, state.streak.failures + 1),
        attempt_id=attempt,
        after_close="retry",
    )
    return state, (*commands, StartAttempt(attempt))


def _become_closed(
    state: ClientState, closed: Closed, *commands: Command, finish: bool = False
) -> Step:
    """Come to rest: nothing is open and nothing is coming."""
    phase = Phase.FINISHED if finish else Phase.CLOSED
    state = state._replace(
        phase=phase,
        public_state=closed,
        streak=FailureStreak(),
        after_close="retry",
    )
    finished = (Finish(closed),) if finish else ()
    return state, (*commands, FailSends(), *finished)


def _apply_decision(
    state: ClientState, decision: RetryDecision, code: int | None, reason: str | None
) -> Step:
    """Wait for the next attempt, or stop."""
    state = state._replace(streak=decision.streak)
    if isinstance(decision, Stop):
        return _become_closed(state, Closed(code, reason, decision.error))
    public_state = Reconnecting(
        attempt=decision.streak.failures + 1,
        delay=decision.delay,
        at=decision.at,
        close_code=code,
        close_reason=reason,
        error=decision.error,
    )
    state = state._replace(phase=Phase.RECONNECTING, public_state=public_state)
    return state, (Wait(state.attempt_id, decision.delay),)


# What was asked for


def _set_target(state: ClientState, event: ConnectAsked | ReconnectAsked) -> Step:
    """Aim at the target of the call; what waited for another is not sent to it."""
    state = state._replace(streak=FailureStreak())
    if isinstance(event, ReconnectAsked):
        return state, ()
    if event.same_target:
        return state._replace(url=event.url), ()
    return state._replace(url=event.url, connected_before=False), (FailSends(),)


@TABLE.edge(ConnectAsked, at=(*_IDLE, *_PENDING), to=(Phase.CONNECTING,))
@TABLE.edge(ReconnectAsked, at=(Phase.CLOSED, *_PENDING), to=(Phase.CONNECTING,))
def _connect_now(state: ClientState, event: ConnectAsked | ReconnectAsked) -> Step:
    with_target, fail_sends = _set_target(state, event)
    return _start_attempt(with_target, *_cancel_pending(state), *fail_sends)


def _cancel_pending(state: ClientState) -> tuple[Command, ...]:
    if state.phase is Phase.CONNECTING:
        return (Abandon(state.attempt_id),)
    if state.phase is Phase.RECONNECTING:
        return (StopWaiting(state.attempt_id),)
    return ()


@TABLE.edge(ConnectAsked, ReconnectAsked, at=_CONNECTED, to=(Phase.DISCONNECTING,))
def _replace_connection(
    state: ClientState, event: ConnectAsked | ReconnectAsked
) -> Step:
    """Let the connection close out of sight: a silent peer holds nobody up."""
    if state.after_close == "finish":
        return state, ()
    with_target, fail_sends = _set_target(state, event)
    public_state = state.public_state
    if state.phase is Phase.OPEN:
        public_state = Disconnecting(1000, "")
    assert isinstance(public_state, Disconnecting)  # noqa: S101 - what this phase shows
    after = with_target._replace(
        phase=Phase.DISCONNECTING, public_state=public_state, after_close="retry"
    )
    count = CountEnd(public_state.close_code, public_state.close_reason)
    return after, (*fail_sends, CloseInBackground(state.attempt_id), count)


@TABLE.edge(DisconnectAsked, at=_PENDING, to=(Phase.CLOSED,))
@TABLE.edge(CloseAsked, at=(*_IDLE, *_PENDING), to=(Phase.FINISHED,))
def _stop_connecting(state: ClientState, event: DisconnectAsked | CloseAsked) -> Step:
    finish = isinstance(event, CloseAsked)
    commands = _cancel_pending(state)
    if state.phase not in _IDLE:  # interceptors may still hold messages
        commands = (*commands, DiscardReceived())
    return _become_closed(state, _closed_on_request(state), *commands, finish=finish)


def _closed_on_request(state: ClientState) -> Closed:
    """What is shown after an end that was asked for: how the last connection ended."""
    if isinstance(state.public_state, Reconnecting | Closed | Disconnecting):
        return Closed(state.public_state.close_code, state.public_state.close_reason)
    return Closed()


@TABLE.edge(DisconnectAsked, CloseAsked, at=(Phase.OPEN,), to=(Phase.DISCONNECTING,))
def _begin_close(state: ClientState, event: DisconnectAsked | CloseAsked) -> Step:
    state = state._replace(
        phase=Phase.DISCONNECTING,
        public_state=Disconnecting(event.code, event.reason),
        after_close="finish" if isinstance(event, CloseAsked) else "stay",
    )
    begin = BeginClose(state.attempt_id, event.code, event.reason)
    return state, (begin, DiscardReceived(), FailSends())


@TABLE.edge(DisconnectAsked, CloseAsked, at=(Phase.DISCONNECTING,))
def _keep_closing(state: ClientState, event: DisconnectAsked | CloseAsked) -> Step:
    finish = isinstance(event, CloseAsked) or state.after_close == "finish"
    state = state._replace(after_close="finish" if finish else "stay")
    return state, (DiscardReceived(), FailSends())


@TABLE.edge(
    AbortAsked,
    at=(*_IDLE, *_PENDING, *_CONNECTED),
    to=(Phase.CLOSED, Phase.FINISHED),
)
def _abort_connection(state: ClientState, event: AbortAsked) -> Step:
    commands = _cancel_pending(state)
    closed = _closed_on_request(state)
    if state.phase in _CONNECTED:
        commands = Abandon(state.attempt_id), CountEnd(1006, "")
        closed = Closed(1006, "")
    finish = event.finish or state.after_close == "finish"
    return _become_closed(state, closed, *commands, finish=finish)


# What happened


@TABLE.edge(UrlResolved, at=(Phase.CONNECTING,))
def _on_url_resolved(state: ClientState, event: UrlResolved) -> Step:
    public_state = Connecting(event.url, state.streak.failures + 1)
    return state._replace(url=event.url, public_state=public_state), ()


@TABLE.edge(Opened, at=(Phase.CONNECTING,), to=(Phase.OPEN,))
def _on_opened(state: ClientState, event: Opened) -> Step:
    connection = state.connections + 1
    public_state = Open(state.url, event.protocol, connection)
    state = state._replace(
        phase=Phase.OPEN,
        public_state=public_state,
        connections=connection,
        is_stable=False,
    )
    return state, ()


@TABLE.edge(BecameStable, at=(Phase.OPEN,))
def _on_stable(state: ClientState, _: BecameStable) -> Step:
    return state._replace(
        is_stable=True, connected_before=True, streak=FailureStreak()
    ), ()


@TABLE.edge(
    AttemptFailed, at=(Phase.CONNECTING,), to=(Phase.RECONNECTING, Phase.CLOSED)
)
def _on_attempt_failed(state: ClientState, event: AttemptFailed) -> Step:
    return _apply_decision(state, event.decision, None, None)


@TABLE.edge(ClosingSeen, at=(Phase.OPEN,), to=(Phase.DISCONNECTING,))
def _on_closing_seen(state: ClientState, event: ClosingSeen) -> Step:
    public_state = Disconnecting(event.code, event.reason)
    return state._replace(
        phase=Phase.DISCONNECTING, public_state=public_state, after_close="retry"
    ), ()


@TABLE.edge(Lost, at=(Phase.OPEN,), to=(Phase.RECONNECTING, Phase.CLOSED))
@TABLE.edge(
    Lost,
    at=(Phase.DISCONNECTING,),
    to=(Phase.RECONNECTING, Phase.CLOSED, Phase.FINISHED),
)
def _on_lost(state: ClientState, event: Lost) -> Step:
    if state.after_close == "retry":
        return _apply_decision(state, event.decision, event.code, event.reason)
    closed = Closed(event.code, event.reason)
    return _become_closed(state, closed, finish=state.after_close == "finish")


@TABLE.edge(
    Replaced,
    at=(Phase.DISCONNECTING,),
    to=(Phase.CONNECTING, Phase.CLOSED, Phase.FINISHED),
)
def _on_replaced(state: ClientState, _: Replaced) -> Step:
    if state.after_close == "retry":
        return _start_attempt(state)
    return _become_closed(
        state, _closed_on_request(state), finish=state.after_close == "finish"
    )


@TABLE.edge(RetryDue, at=(Phase.RECONNECTING,), to=(Phase.CONNECTING,))
def _on_retry_due(state: ClientState, _: RetryDue) -> Step:
    return _start_attempt(state._replace(streak=state.streak.after_retry()))
