"""What a client is doing, in plain words."""

from typing import TYPE_CHECKING

from ws_common.causes import MEANINGS
from ws_common.errors import WSConnectionClosedError
from ws_common.retry import why_final
from ws_common.signals import HELD
from ws_common.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
    Reconnecting,
    WebSocketClientState,
)
from ws_common.status_codes import describe
from ws_common.urls import redact

if TYPE_CHECKING:
    from ws_common.supervisor import Supervisor


def explain(behind: "Supervisor") -> str:
    """Say what it is doing, since when, why, and what comes next."""
    state = behind.life.shown
    doing, coming = _now_and_next(behind, state)
    lines = [doing]
    history = behind.reporter.history
    if history:
        last = history[-1]
        seconds = (behind.clock.now() - last.at).total_seconds()
        lines.append(
            f"Since {last.at:%H:%M:%S} UTC ({seconds:.1f} s), "
            f"because {MEANINGS[last.cause]} ({last.cause})."
        )
    lines.extend(_why(behind, state))
    lines.append(f"Next: {coming}")
    lines.extend(_remarks(behind))
    return "\n".join(lines)


def _now_and_next(behind: "Supervisor", state: WebSocketClientState) -> tuple[str, str]:
    """What it is doing, and what comes next."""
    options = behind.options
    retries = options.connection_retry_interval is not None
    url = redact(behind.life.url) if behind.life.url else "a URL not known yet"
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
            }[behind.life.sequel]
        case Reconnecting():
            happened = "Lost" if state.close_code is not None else "Could not reach"
            doing = f"{happened} {url}; waiting to try again, attempt {state.attempt}."
            left = max(0.0, (state.at - behind.clock.now()).total_seconds())
            coming = f"attempt {state.attempt} in {left:.1f} s"
            if holds := sorted(behind.surroundings.wait.holds):
                why = ", ".join(HELD[hold] for hold in holds)
                coming = f"{why}; then attempt {state.attempt}"
            coming += ", or now with reconnect()."
        case Closed() if behind.life.is_finishing:
            doing, coming = "Closed for good.", "nothing; make a new client."
        case Closed():
            code = state.close_code
            how = f" ({describe(code)})" if code is not None else ""
            doing = f"Closed: not connected to {url}{how}."
            if not behind.reporter.history:
                doing = "Not connected: connect() has not been called."
            coming = "nothing, until connect() is called."
    return doing, coming


def _why(behind: "Supervisor", state: WebSocketClientState) -> list[str]:
    match state:
        case Reconnecting(error=error) | Closed(error=error) if error is not None:
            cause = error.__cause__
            lost = isinstance(error, WSConnectionClosedError) and cause is not None
            lines = [f"Why: {error}; {cause}." if lost else f"Why: {error}."]
            if state.is_closed:
                interval = behind.options.connection_retry_interval
                lines.append(f"Final, since {why_final(error, interval)}.")
            return lines
        case Connecting() if behind.failures.last_error is not None:
            return [f"Before that: {behind.failures.last_error}."]
        case _:
            return []


def _remarks(behind: "Supervisor") -> list[str]:
    remarks: list[str] = []
    if waiting := behind.outbound.waiting:
        remarks.append(f"{_messages(waiting, 'waits', 'wait')} to be sent.")
    if behind.received.messages.full:
        remarks.append("Reading is paused: a subscriber's buffer is full.")
    remarks.extend(f"Look at this: {who}." for who in behind.received.stuck.stuck)
    kept = behind.received.messages.kept
    if kept is not None and kept.waiting:
        said = _messages(kept.waiting, "is", "are")
        remarks.append(f"Nobody has subscribed yet; {said} kept.")
    return remarks


def _messages(count: int, one: str, many: str) -> str:
    return f"1 message {one}" if count == 1 else f"{count} messages {many}"
