"""The vocabulary of the lifecycle: what the machine knows, is told, and wants done.

Named tuples, since a frozen dataclass costs seven times as much at import.
"""

from enum import Enum
from typing import Literal, NamedTuple

from ws_common.lifecycle.failure_streak import FailureStreak
from ws_common.lifecycle.retry import RetryDecision
from ws_common.lifecycle.states import (
    Closed,
    Disconnecting,
    WebSocketClientState,
)
from ws_common.vocabulary.errors import WSError, WSNotConnectedError


class Phase(Enum):
    """The nodes of the diagram."""

    NEW = "new"
    CONNECTING = "connecting"
    OPEN = "open"
    DISCONNECTING = "disconnecting"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"
    FINISHED = "finished"


AfterClose = Literal["retry", "stay", "finish"]
"""What follows `DISCONNECTING`: what the verdict says, nothing, or the end."""


class ClientState(NamedTuple):
    """Everything that the machine knows.

    Attributes:
        phase: Where in the diagram.
        public_state: The state that applications see.
        attempt_id: The live attempt, or the last one.
        url: Of the attempt; empty until a provider has been asked.
        streak: The failures in a row.
        connections: How many were opened.
        is_stable: Whether the open connection has lived long enough to be trusted.
        connected_before: Whether a connection to this target has ever settled.
        after_close: What follows `DISCONNECTING`.
    """

    phase: Phase = Phase.NEW
    public_state: WebSocketClientState = Closed()
    attempt_id: int = 0
    url: str = ""
    streak: FailureStreak = FailureStreak()
    connections: int = 0
    is_stable: bool = False
    connected_before: bool = False
    after_close: AfterClose = "retry"

    @property
    def is_reconnecting(self) -> bool:
        """Whether the attempt under way is not a first one."""
        return bool(self.streak.retries or self.connections)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is open or coming, nor ends."""
        return self.phase in (Phase.NEW, Phase.CLOSED, Phase.FINISHED)

    @property
    def is_finishing(self) -> bool:
        """Whether `close()` has been called."""
        return self.phase is Phase.FINISHED or self.after_close == "finish"

    def not_connected(self) -> WSNotConnectedError:
        """The error that says why no connection is open or coming."""
        error: WSError | None = None
        match self.public_state:
            case Closed(error=WSError() as error):
                reason = f"the last one ended: {error}"
            case Closed() if self.phase is Phase.NEW:
                reason = "call connect() first"
            case Disconnecting():
                reason = "it is being closed"
            case _:
                reason = "it was closed; call connect() again"
        raised = WSNotConnectedError(f"no connection is open or coming: {reason}")
        raised.__cause__ = error
        return raised

    def expects_connection(self, *, retries: bool) -> bool:
        """Whether a connection is open or coming, if `retries` may be made."""
        if self.phase is Phase.DISCONNECTING:
            return retries and self.after_close == "retry"
        return self.phase in (Phase.CONNECTING, Phase.OPEN, Phase.RECONNECTING)


# ── Events ──────────────────────────────────────────────────────────────────


class ConnectAsked(NamedTuple):
    """Somebody called `connect()`; `same_target` keeps what is known of the target."""

    url: str
    same_target: bool = False


class ReconnectAsked(NamedTuple):
    """Somebody called `reconnect()`."""


class DisconnectAsked(NamedTuple):
    """Somebody called `disconnect()`."""

    code: int | None = 1000
    reason: str | None = None


class CloseAsked(NamedTuple):
    """Somebody called `close()`."""

    code: int | None = 1000
    reason: str | None = None


class AbortAsked(NamedTuple):
    """A call was cancelled, or nobody holds the client: abort."""

    finish: bool = False


class UrlResolved(NamedTuple):
    """The URL provider of an attempt has answered."""

    attempt: int
    url: str


class Opened(NamedTuple):
    """An attempt succeeded."""

    attempt: int
    protocol: str | None = None


class BecameStable(NamedTuple):
    """The connection has lived for `min_uptime`: the failure streak is over."""

    attempt: int


class AttemptFailed(NamedTuple):
    """An attempt failed."""

    attempt: int
    error: WSError
    decision: RetryDecision


class ClosingSeen(NamedTuple):
    """A closing handshake that we did not ask for has begun."""

    attempt: int
    code: int | None
    reason: str | None


class Lost(NamedTuple):
    """A connection has ended. `decision` says what to do where nobody asked for it."""

    attempt: int
    code: int | None
    reason: str | None
    decision: RetryDecision


class Replaced(NamedTuple):
    """The connection closes in the background, to make room for a new one."""

    attempt: int


class RetryDue(NamedTuple):
    """The wait that followed attempt `attempt` is over."""

    attempt: int


Request = ConnectAsked | ReconnectAsked | DisconnectAsked | CloseAsked | AbortAsked
"""What somebody asked for."""

Occurrence = (
    UrlResolved
    | Opened
    | BecameStable
    | AttemptFailed
    | ClosingSeen
    | Lost
    | Replaced
    | RetryDue
)
"""What happened to the attempt of that id."""

Event = Request | Occurrence

# ── Commands ────────────────────────────────────────────────────────────────


class StartAttempt(NamedTuple):
    """Begin attempt `attempt`."""

    attempt: int


class Abandon(NamedTuple):
    """Cancel the attempt, or abort its connection. No event of it is wanted."""

    attempt: int


class BeginClose(NamedTuple):
    """Begin the closing handshake; `Lost` follows."""

    attempt: int
    code: int | None
    reason: str | None


class DiscardReceived(NamedTuple):
    """Deliver nothing more of what the connections have brought."""


class CloseInBackground(NamedTuple):
    """Let the connection close in the background; `Replaced` follows at once."""

    attempt: int


class Wait(NamedTuple):
    """Feed `RetryDue(attempt)` after `delay` seconds."""

    attempt: int
    delay: float


class StopWaiting(NamedTuple):
    """Forget the timer of `Wait`."""

    attempt: int


class FailSends(NamedTuple):
    """Fail whatever waits to be sent: it is not for the server that comes next."""


class PublishState(NamedTuple):
    """Tell everybody the state: the log, `on_event`, the history, `state_changes`."""

    state: WebSocketClientState
    final: bool


class OpenConnection(NamedTuple):
    """Let messages flow, in both directions."""


class StartStableTimer(NamedTuple):
    """Feed `BecameStable(attempt)` after `min_uptime` seconds."""

    attempt: int


class AnswerConnect(NamedTuple):
    """Let the call return that waits for a connection."""


class StopSending(NamedTuple):
    """Hand over nothing more; fail what only this connection may carry."""


class CountEnd(NamedTuple):
    """Count the end of a connection that was open, and end its session."""

    code: int | None
    reason: str | None


class WatchEnvironment(NamedTuple):
    """Listen to the page, the network and the clock."""


class StopWatchingEnvironment(NamedTuple):
    """Listen to them no more."""


class ReportIdle(NamedTuple):
    """Nothing is open or coming: readers meet the end, and calls return or raise."""

    closed: Closed


class Finish(NamedTuple):
    """The client is closed permanently: release everything."""

    closed: Closed


Command = (
    StartAttempt
    | Abandon
    | BeginClose
    | DiscardReceived
    | CloseInBackground
    | Wait
    | StopWaiting
    | FailSends
    | PublishState
    | OpenConnection
    | StartStableTimer
    | AnswerConnect
    | StopSending
    | CountEnd
    | WatchEnvironment
    | StopWatchingEnvironment
    | ReportIdle
    | Finish
)
