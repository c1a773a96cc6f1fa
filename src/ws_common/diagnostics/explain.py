"""`explain()`: what a client is doing, in plain words.

It reads a frozen snapshot and never live objects, so that it may be called in any state
and from inside a callback of the client.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ws_common.diagnostics.reporter import HistoryEntry
from ws_common.lifecycle.client_state import ClientState
from ws_common.lifecycle.final_errors import explain_final
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
        client_state: The state in the client's table.
        options: The options of the client.
        now: The time, UTC.
        history: The last changes of state, oldest first.
        last_error: Why the previous attempt failed.
        holds: Why the next attempt waits longer than its delay.
        unsent: The number of messages that wait to be sent.
        is_full: Whether a subscriber's buffer has paused reading.
        stuck: Descriptions of the subscribers that have not read for long.
        kept: The number of messages that wait for the first subscriber.
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


def explain(snapshot: Snapshot) -> str:
    """Describe a client.

    Args:
        snapshot: What is known of the client.

    Returns:
        One line for each answer: what it is doing, since when and why, what comes
        next, and what may need attention. No secrets.
    """
    now, then = _describe_state(snapshot)
    name = snapshot.options.name
    lines = [f"{name}: {now}" if name else now]
    if snapshot.history:
        last = snapshot.history[-1]
        seconds = (snapshot.now - last.at).total_seconds()
        lines.append(
            f"Since {last.at:%H:%M:%S} UTC ({seconds:.1f} s), "
            f"because {MEANINGS[last.cause]} ({last.cause})."
        )
    lines.extend(_describe_error(snapshot))
    lines.append(f"Next: {then}")
    lines.extend(_list_remarks(snapshot))
    return "\n".join(lines)


def _describe_state(snapshot: Snapshot) -> tuple[str, str]:
    """Describe what the client is doing, and what comes next."""
    # The table's URL, not the one in the public state: `Closed` and `Reconnecting` have
    # none. Credentials and query values are redacted, since this text goes into issues.
    state, options = snapshot.client_state.public_state, snapshot.options
    retries = options.connection_retry_interval is not None
    url = (
        redact(snapshot.client_state.url)
        if snapshot.client_state.url
        else "a URL not known yet"
    )
    match state:
        case Connecting():
            now = f"Connecting to {url}, attempt {state.attempt}."
            timeout = options.timeout
            bound = f"within {timeout:g} s" if timeout else "without a time limit"
            again = ", and is repeated if it fails." if retries else "."
            then = f"the attempt succeeds or fails {bound}{again}"
        case Open():
            protocol = f", speaking {state.protocol}" if state.protocol else ""
            now = f"Open: connection {state.connection} to {url}{protocol}."
            will = "will" if retries else "will not"
            then = f"messages flow; a loss {will} be followed by a reconnection."
        case Disconnecting():
            now = f"Closing the connection to {url} ({describe(state.close_code)})."
            then = f"it is over within {options.close_timeout:g} s"
            then += {
                "retry": ", and a retry follows unless the reason is final.",
                "stay": ", and stays so until connect() is called.",
                "finish": ", permanently.",
            }[snapshot.client_state.after_close]
        case Reconnecting():
            # Only a connection has a close code; an attempt that failed has none.
            happened = "Lost" if state.close_code is not None else "Could not reach"
            now = f"{happened} {url}; waiting to try again, attempt {state.attempt}."
            # The timer of the retry may be late: "in -0.1 s" would be no help.
            left = max(0.0, (state.at - snapshot.now).total_seconds())
            then = f"attempt {state.attempt} in {left:.1f} s"
            # While the retry is held, offline or in a frozen page, no delay is known.
            if holds := sorted(snapshot.holds):
                why = ", ".join(HOLD_REASONS[hold] for hold in holds)
                then = f"{why}; then attempt {state.attempt}"
            then += ", or now with reconnect()."
        case Closed() if snapshot.client_state.is_finishing:
            now, then = "Closed permanently.", "nothing; make a new client."
        case Closed():
            # A client that was never connected is `Closed` too, without a history.
            code = state.close_code
            how = f" ({describe(code)})" if code is not None else ""
            now = f"Closed: not connected to {url}{how}."
            if not snapshot.history:
                now = "Not connected: connect() has not been called."
            then = "nothing, until connect() is called."
    return now, then


def _describe_error(snapshot: Snapshot) -> list[str]:
    match state := snapshot.client_state.public_state:
        case Reconnecting(error=error) | Closed(error=error) if error is not None:
            # For a loss the cause holds the facts, such as a reset or a missed Pong;
            # other errors say in their own text what happened.
            cause = error.__cause__
            lost = isinstance(error, WSConnectionClosedError) and cause is not None
            lines = [f"Why: {error}; {cause}." if lost else f"Why: {error}."]
            if state.is_closed:
                interval = snapshot.options.connection_retry_interval
                lines.append(f"Final, since {explain_final(error, interval)}.")
            return lines
        case Connecting() if snapshot.last_error is not None:
            return [f"Before that: {snapshot.last_error}."]
        case _:
            return []


def _list_remarks(snapshot: Snapshot) -> list[str]:
    remarks: list[str] = []
    if snapshot.unsent:
        remarks.append(
            f"{_count_messages(snapshot.unsent, 'waits', 'wait')} to be sent."
        )
    # The most frequent reason why "nothing arrives any more": a subscriber that is not
    # read stops the socket for all of them, as no message may be dropped.
    if snapshot.is_full:
        remarks.append("Reading is paused: a subscriber's buffer is full.")
    remarks.extend(f"Look at this: {who}." for who in snapshot.stuck)
    if snapshot.kept:
        kept = _count_messages(snapshot.kept, "is", "are")
        remarks.append(f"Nobody has subscribed yet; {kept} kept.")
    return remarks


def _count_messages(count: int, one: str, many: str) -> str:
    return f"1 message {one}" if count == 1 else f"{count} messages {many}"
