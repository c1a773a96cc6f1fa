"""The lifecycle of a client, as a table: no clock, no I/O, no asyncio.

Theory of operation. `step(state, event)` looks up (phase, kind of event) in `TABLE`
and returns the new state and the commands to carry out. The supervisor feeds events
and carries out commands; it decides nothing. A pair that is not in the table does
nothing.

These rules hold, and the property tests check them:

1. Every attempt has an id. An event of an attempt that is not the live one changes
   nothing. A late success of such an attempt is abandoned, which frees its socket.
2. At most one attempt is live. In `CONNECTING`, `OPEN` and `DISCONNECTING` it is
   the one of `state.attempt_id`; in all other phases there is none.
3. `close()` is final: no later request changes anything, in `FINISHED` and on the way
   there.
4. Requests come first: connect, reconnect, disconnect and close cut short whatever is
   in progress.
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
_WRONG_STAGE = "the attempt is past this, or has not reached it"

IGNORED: Mapping[type, Mapping[str, str]] = MappingProxyType(
    {
        ConnectAsked: {"finished": _CLOSE_IS_FINAL},
        ReconnectAsked: {
            "new": "no URL is known; reconnect() raises",
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
            "disconnecting": "the connection ends, however long it was open",
        },
        AttemptFailed: {
            "open": _WRONG_STAGE,
            "disconnecting": _WRONG_STAGE,
        },
        ClosingSeen: {
            "connecting": "the connection reports it once it has been opened",
            "disconnecting": "it is closing already",
        },
        Lost: {"connecting": "`AttemptFailed` is fed instead"},
        Replaced: {
            "connecting": _WRONG_STAGE,
            "open": "`CloseInBackground` leads to `DISCONNECTING` first",
        },
        RetryDue: {
            "connecting": "the client does not wait for a retry",
            "open": "the client does not wait for a retry",
            "disconnecting": "the client does not wait for a retry",
        },
    }
)
"""Kind of event -> phase -> why nothing happens although the attempt is the live one.

An event of another attempt, or in a phase without an attempt, is stale (`_is_stale`).
Together with `TABLE` this lists every pair, so that a test can tell a pair that does
nothing on purpose from one that was forgotten.
"""

_LIVE = (Phase.CONNECTING, Phase.OPEN, Phase.DISCONNECTING)
_IDLE = (Phase.NEW, Phase.CLOSED)
_PENDING = (Phase.CONNECTING, Phase.RECONNECTING)
_CONNECTED = (Phase.OPEN, Phase.DISCONNECTING)


def step(state: ClientState, event: Event) -> Step:
    """Advance the client by one event.

    Args:
        state: The state before the event.
        event: What was asked for, or what happened.

    Returns:
        The state after the event, and the commands to carry out, in order.
    """
    if _is_stale(state, event):
        # An attempt that was given up may succeed all the same, if code that it runs
        # swallows the cancellation. Its socket has no other owner who could free it.
        return state, (Abandon(event.attempt),) if isinstance(event, Opened) else ()
    edge = TABLE.get((state.phase, type(event)))
    if edge is None:
        return state, ()  # `IGNORED` says why
    after, commands = edge.action(state, event)
    count_end: tuple[Command, ...] = ()
    if isinstance(event, Lost):
        # This comes before the state is published: `on_event` may read the metrics,
        # which have to agree with the event that it is called with.
        count_end = (CountEnd(event.code, event.reason),)
    # The state is published before the commands of the edge are carried out. Commands
    # may report events at once, such as discarded messages, and `on_event` has to hear
    # of the state first in which these happened.
    return after, (*count_end, *commands_of_change(state, after), *commands)


def commands_of_change(before: ClientState, after: ClientState) -> tuple[Command, ...]:
    """Return the commands that a new public state brings, whichever edge led to it.

    Args:
        before: The state before the event.
        after: The state after it.
    """
    # Whatever starts or stops with a state is listed here alone. Edges that
    # each started the timer or ended the streams would sooner or later forget one.
    if after.public_state is before.public_state:
        return ()
    public_state = after.public_state
    publish = PublishState(public_state, after.phase is Phase.FINISHED)
    match public_state:
        case Connecting():
            return publish, WatchEnvironment()
        case Open():
            # Messages flow only after `Open` was published, so that `on_event` never
            # hears of a message before it hears of the connection. `connect()` returns
            # last: what waited was sent by then, ahead of what the program sends next.
            timer = StartStableTimer(after.attempt_id)
            return publish, OpenConnection(), timer, AnswerConnect()
        case Closed():
            return (
                StopSending(),
                publish,
                StopWatchingEnvironment(),
                ReportIdle(public_state),
            )
        case _:
            # Sending stops first: `on_event` may call `add_nowait()` while the state
            # is being published, and that message must wait for the next connection.
            return StopSending(), publish


def _is_stale(state: ClientState, event: Event) -> bool:
    # Timers and tasks that were cancelled may still report something in the same turn
    # of the loop. The id of the attempt tells these reports from current ones; a
    # comparison of phases alone would take a late one for an event of its successor.
    if isinstance(event, Request):
        return False
    live = state.phase in _LIVE
    if isinstance(event, RetryDue):
        live = state.phase is Phase.RECONNECTING
    return not live or event.attempt != state.attempt_id


def _start_attempt(state: ClientState, *commands: Command) -> Step:
    """Begin a new attempt, after these commands."""
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
    """Enter `CLOSED` or `FINISHED`: no connection is open or will be opened."""
    # The failure streak ends here: a program that calls connect() again later starts
    # with short delays, whatever happened before.
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
    """Wait for the next attempt, or make no other, as the decision says."""
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


# ── Requests ────────────────────────────────────────────────────────────────


def _set_target(state: ClientState, event: ConnectAsked | ReconnectAsked) -> Step:
    """Take over the target of a call, and fail what waits for another target."""
    # A manual call is a new start: the failures before it no longer delay anything.
    state = state._replace(streak=FailureStreak())
    if isinstance(event, ReconnectAsked):
        return state, ()
    if event.same_target:
        return state._replace(url=event.url), ()
    # Messages for one server may hold its credentials, and must not reach another. What
    # is known of one server says nothing about another either.
    return state._replace(url=event.url, connected_before=False), (FailSends(),)


@TABLE.edge(ConnectAsked, at=(*_IDLE, *_PENDING), to=(Phase.CONNECTING,))
@TABLE.edge(ReconnectAsked, at=(Phase.CLOSED, *_PENDING), to=(Phase.CONNECTING,))
def _connect_now(state: ClientState, event: ConnectAsked | ReconnectAsked) -> Step:
    with_target, fail_sends = _set_target(state, event)
    return _start_attempt(with_target, *_cancel_pending(state), *fail_sends)


def _cancel_pending(state: ClientState) -> tuple[Command, ...]:
    """Return the command that ends the attempt or the wait in progress, if any."""
    if state.phase is Phase.CONNECTING:
        return (Abandon(state.attempt_id),)
    if state.phase is Phase.RECONNECTING:
        return (StopWaiting(state.attempt_id),)
    return ()


@TABLE.edge(ConnectAsked, ReconnectAsked, at=_CONNECTED, to=(Phase.DISCONNECTING,))
def _replace_connection(
    state: ClientState, event: ConnectAsked | ReconnectAsked
) -> Step:
    """Close the connection in the background, and connect at once.

    A peer that does not answer the Close frame would otherwise delay `reconnect()` by
    the whole `close_timeout`.
    """
    if state.after_close == "finish":
        return state, ()
    with_target, fail_sends = _set_target(state, event)
    public_state = state.public_state
    if state.phase is Phase.OPEN:
        public_state = Disconnecting(1000, "")
    # Where the connection is closing already, its code stays: the metrics show how the
    # peer ended it, although the client no longer waits for that end.
    assert isinstance(public_state, Disconnecting)  # noqa: S101 - what this phase shows
    after = with_target._replace(
        phase=Phase.DISCONNECTING, public_state=public_state, after_close="retry"
    )
    # The new attempt starts with `Replaced` and not here. Applications see
    # `Disconnecting` and then `Connecting`, and a close() that `on_event` makes in
    # between comes first and is not overtaken.
    count = CountEnd(public_state.close_code, public_state.close_reason)
    return after, (*fail_sends, CloseInBackground(state.attempt_id), count)


@TABLE.edge(DisconnectAsked, at=_PENDING, to=(Phase.CLOSED,))
@TABLE.edge(CloseAsked, at=(*_IDLE, *_PENDING), to=(Phase.FINISHED,))
def _stop_connecting(state: ClientState, event: DisconnectAsked | CloseAsked) -> Step:
    finish = isinstance(event, CloseAsked)
    commands = _cancel_pending(state)
    if state.phase not in _IDLE:
        # No connection is open, but an interceptor may still hold messages of the last
        # one. No message is delivered after disconnect() or close() has been called.
        commands = (*commands, DiscardReceived())
    return _become_closed(state, _closed_on_request(state), *commands, finish=finish)


def _closed_on_request(state: ClientState) -> Closed:
    """Return the state after an end that was asked for, without an error.

    It shows how the last connection ended, if that is known.
    """
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
    # The closing handshake is in progress, with the code of the side that began it. The
    # code and the reason of this call are not used: it only changes what follows.
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
        # No end of this connection will be reported any more, so it is counted here.
        # RFC 6455, section 7.1.5: without a Close frame from the peer the code is 1006.
        commands = Abandon(state.attempt_id), CountEnd(1006, "")
        closed = Closed(1006, "")
    finish = event.finish or state.after_close == "finish"
    return _become_closed(state, closed, *commands, finish=finish)


# ── Occurrences ─────────────────────────────────────────────────────────────


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
    # Only here does the streak end after a success. A server that accepts and closes at
    # once would otherwise be called as fast as it accepts: peers whose backoff ends
    # with the handshake made 1,550 handshakes a second.
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
    # "retry" means that the decision in `Lost` counts. A disconnect() or close() that
    # comes while the peer closes still changes it, in `_keep_closing`.
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
    # The connection may end by an error after disconnect() was called. That is still
    # the end that was asked for, so `Closed` has no error and nothing is retried.
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
