"""The log message of a change of state: what happened, why, and what comes next.

connection 1 to ws://host/ lost (network_lost: 1006 ABNORMAL_CLOSURE):
attempt 2 in 0.43 s
"""

from collections.abc import Iterable

from ws_common.lifecycle.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
    Reconnecting,
    WebSocketClientState,
)
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.errors import WSConnectionClosedError
from ws_common.vocabulary.status_codes import describe
from ws_common.vocabulary.urls import redact

_CLOSING_TEXTS: dict[Cause, str] = {
    "peer_closing": "is being closed by the peer",
    "protocol_failure": "has violated the protocol and is being closed",
    "connect": "is replaced by a new one",
    "reconnect": "is replaced by a new one",
}
"""What happens to the connection; for all other causes it "is being closed"."""


def log_change(
    state: WebSocketClientState,
    cause: Cause,
    previous: Iterable[WebSocketClientState],
    *,
    final: bool,
    away: float | None = None,
) -> str:
    """Describe one change of state. No secrets.

    Args:
        state: The new state.
        cause: Why the state has changed.
        previous: The states before the new one, the latest first.
        final: Whether the client is closed permanently.
        away: Seconds since the outage began; None: there is none.

    Returns:
        The message, without the time.
    """
    # An end concerns a connection or an attempt, and the new state names neither:
    # search back for the one that has ended. If a wait or a closed state lies between,
    # its end has been logged already.
    started: Connecting | Open | None = None
    ended = False
    for earlier in previous:
        if isinstance(earlier, Connecting | Open):
            started = earlier
            break
        ended = ended or not isinstance(earlier, Disconnecting)
    match state:
        case Connecting(url, attempt):
            # Without a URL its provider is being asked, anew for each attempt.
            where = redact(url) if url else "a URL that the provider is asked for"
            text = f"connecting to {where}: attempt {attempt} ({cause})"
        case Open(protocol=protocol):
            protocol_text = f", speaking {protocol}" if protocol else ""
            again = "" if away is None else f" again after {away:.1f} s"
            text = f"{_name_subject(state)} is open{again}{protocol_text}"
        case Disconnecting(code, reason):
            doing = _CLOSING_TEXTS.get(cause, "is being closed")
            close = _describe_close(code, reason)
            text = f"{_name_subject(started)} {doing} ({cause}: {close})"
        case Reconnecting():
            what = _describe_end(cause, state, started, ended=ended)
            next_step = f"trying again in {state.delay:.2f} s"
            text = f"{what}: {next_step} (attempt {state.attempt})"
        case Closed():
            left = "closed permanently" if final else "idle until connect() is called"
            text = f"{_describe_end(cause, state, started, ended=ended)}: {left}"
    return text


def _describe_end(
    cause: Cause,
    state: Reconnecting | Closed,
    started: Connecting | Open | None,
    *,
    ended: bool,
) -> str:
    error = state.error
    if isinstance(started, Open) and not ended:
        # "Clean" is a closing handshake that was completed (RFC 6455, section 7.1.4).
        is_loss = isinstance(error, WSConnectionClosedError) and not error.was_clean
        verb = "lost" if is_loss else "ended"
        text = _describe_close(state.close_code, state.close_reason)
    else:
        verb = "failed" if error is not None else "stopped"
        text = "" if error is None else str(error)
    facts = f"{cause}: {text}" if text else cause
    return f"{_name_subject(started)} {verb} ({facts})"


def _name_subject(started: Connecting | Open | None) -> str:
    match started:
        case Connecting(attempt=attempt):
            return f"attempt {attempt}"  # without the URL: errors name it
        case Open(url, _, connection):
            return f"connection {connection} to {redact(url)}"
        case None:
            return "the client"


def _describe_close(code: int | None, reason: str | None) -> str:
    """Describe a Close frame: `1001 GOING_AWAY 'restart'`."""
    # Some servers send the name of the code as the reason; it is not repeated.
    known = describe(code)
    return known if not reason or reason in known else f"{known} {reason!r}"
