"""What a client is doing, in plain words."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ws_common.diagnostics.reporter import HistoryEntry
from ws_common.lifecycle.client_state import ClientState
from ws_common.lifecycle.retry import why_final
from ws_common.lifecycle.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
    Reconnecting,
)
from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.causes import MEANINGS
from ws_common.vocabulary.environment_events import HOLD_REASONS, Hold
from ws_common.vocabulary.errors import WSConnectionClosedError, WSError
from ws_common.vocabulary.status_codes import describe
from ws_common.vocabulary.urls import redact


class Snapshot(NamedTuple):
    """What is known of a client at one moment.

    Attributes:
        client_state: What the client's table knows.
        options: The client's.
        now: The time of day, in UTC.
        history: The last changes of state.
        last_error: Why the attempt before failed.
        holds: Why the next attempt waits longer than its delay.
        unsent: Messages that wait to be sent.
        is_full: Whether a subscriber's buffer has paused reading.
        stuck: Who has kept it so for long, in words.
        kept: Messages that wait for the first subscriber.
    """

    client_state: ClientState
    options: WebSocketOptions
    now: datetime
    history: Sequence[HistoryEntry]
    last_error: WSError | None
    holds: frozenset[Hold]
    unsent: int
    is_full: bool
    stuck: Sequence[str]
    kept: int


def explain(seen: Snapshot) -> str:
    """Say what it is doing, since when, why, and what comes next."""
    doing, coming = _now_and_next(seen)
    lines = [doing]
    if seen.history:
        last = seen.history[-1]
        seconds = (seen.now - last.at).total_seconds()
        lines.append(
            f"Since {last.at:%H:%M:%S} UTC ({seconds:.1f} s), "
            f"because {MEANINGS[last.cause]} ({last.cause})."
        )
    lines.extend(_why(seen))
    lines.append(f"Next: {coming}")
    lines.extend(_remarks(seen))
    return "\n".join(lines)


def _now_and_next(seen: Snapshot) -> tuple[str, str]:
    """What it is doing, and what comes next."""
    state, options = seen.client_state.public_state, seen.options
    retries = options.connection_retry_interval is not None
    url = (
        redact(seen.client_state.url)
        if seen.client_state.url
        else "a URL not known yet"
    )
    match state:
        case Connecting():
            doing = f"Connecting to {url}, attempt {state.attempt}."
            timeout = options.timeout
            bound = f"within {timeout:g} s" if timeout else "in its own time"
            again = ", and is repeated if it fails." if retries else "."
            coming = f"the attempt succeeds or fails {bound}{again}"
        case Open():
            spoken = f", speaking {state.protocol}" if state.protocol else ""
            doing = f"Open: connection {state.connection} to {url}{spoken}."
            will = "will" if retries else "will not"
            coming = f"messages flow; a loss {will} be followed by a reconnection."
        case Disconnecting():
            doing = f"Closing the connection to {url} ({describe(state.close_code)})."
            coming = f"it is over within {options.close_timeout:g} s"
            coming += {
                "retry": ", and a retry follows unless the reason is final.",
                "stay": ", and stays so until connect() is called.",
                "finish": ", for good.",
            }[seen.client_state.after_close]
        case Reconnecting():
            happened = "Lost" if state.close_code is not None else "Could not reach"
            doing = f"{happened} {url}; waiting to try again, attempt {state.attempt}."
            left = max(0.0, (state.at - seen.now).total_seconds())
            coming = f"attempt {state.attempt} in {left:.1f} s"
            if holds := sorted(seen.holds):
                why = ", ".join(HOLD_REASONS[hold] for hold in holds)
                coming = f"{why}; then attempt {state.attempt}"
            coming += ", or now with reconnect()."
        case Closed() if seen.client_state.is_finishing:
            doing, coming = "Closed for good.", "nothing; make a new client."
        case Closed():
            code = state.close_code
            how = f" ({describe(code)})" if code is not None else ""
            doing = f"Closed: not connected to {url}{how}."
            if not seen.history:
                doing = "Not connected: connect() has not been called."
            coming = "nothing, until connect() is called."
    return doing, coming


def _why(seen: Snapshot) -> list[str]:
    match state := seen.client_state.public_state:
        case Reconnecting(error=error) | Closed(error=error) if error is not None:
            cause = error.__cause__
            lost = isinstance(error, WSConnectionClosedError) and cause is not None
            lines = [f"Why: {error}; {cause}." if lost else f"Why: {error}."]
            if state.is_closed:
                interval = seen.options.connection_retry_interval
                lines.append(f"Final, since {why_final(error, interval)}.")
            return lines
        case Connecting() if seen.last_error is not None:
            return [f"Before that: {seen.last_error}."]
        case _:
            return []


def _remarks(seen: Snapshot) -> list[str]:
    remarks: list[str] = []
    if seen.unsent:
        remarks.append(f"{_messages(seen.unsent, 'waits', 'wait')} to be sent.")
    if seen.is_full:
        remarks.append("Reading is paused: a subscriber's buffer is full.")
    remarks.extend(f"Look at this: {who}." for who in seen.stuck)
    if seen.kept:
        said = _messages(seen.kept, "is", "are")
        remarks.append(f"Nobody has subscribed yet; {said} kept.")
    return remarks


def _messages(count: int, one: str, many: str) -> str:
    return f"1 message {one}" if count == 1 else f"{count} messages {many}"
