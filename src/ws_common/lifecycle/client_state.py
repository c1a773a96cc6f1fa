"""The types of the client's table: its state, its events and its commands."""

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

# Events and commands are named tuples: a frozen dataclass costs seven times as much at
# import, and there are more than thirty of them. As tuples of different kinds compare
# equal (`Abandon(1) == StopWaiting(1)`), tests compare the kinds as well.


class Phase(Enum):
    """The nodes of the diagram in docs/lifecycle.md."""

    # The public states do not tell apart what the table has to: `Closed` is shown in
    # NEW, where reconnect() has no URL, in CLOSED, and in FINISHED, which is final.

    NEW = "new"
    CONNECTING = "connecting"
    OPEN = "open"
    DISCONNECTING = "disconnecting"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"
    FINISHED = "finished"


AfterClose = Literal["retry", "stay", "finish"]
"""What follows `DISCONNECTING`: the retry decision, `CLOSED` or `FINISHED`."""


class ClientState(NamedTuple):
    """Everything that the table knows about a client.

    Attributes:
        phase: The node of the diagram.
        public_state: The state that applications see.
        attempt_id: The id of the live attempt, or of the last one.
        url: The URL of the attempt; empty until a provider has returned it.
        streak: The failures in a row.
        connections: How many connections were opened.
        is_stable: Whether the open connection has been open for `min_uptime`.
        connected_before: Whether a connection to this target has ever been stable.
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
        """Whether the attempt in progress is not the first one."""
        # `connections` counts as well: after a stable connection was lost the streak
        # is empty, and the next attempt is a reconnection all the same.
        return bool(self.streak.retries or self.connections)

    @property
    def is_idle(self) -> bool:
        """Whether no connection is open, closing or expected."""
        return self.phase in (Phase.NEW, Phase.CLOSED, Phase.FINISHED)

    @property
    def is_finishing(self) -> bool:
        """Whether `close()` has been called; it is final."""
        # `close()` counts from the call on, and not only from its end: no connect()
        # that comes while the connection closes may keep the client alive.
        return self.phase is Phase.FINISHED or self.after_close == "finish"

    def not_connected(self) -> WSNotConnectedError:
        """Return the error that says why no connection is open or expected."""
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
        raised = WSNotConnectedError(f"no connection is open or expected: {reason}")
        raised.__cause__ = error
        return raised

    def expects_connection(self, *, retries: bool) -> bool:
        """Return whether a connection is open, or one is expected.

        Args:
            retries: Whether the options allow retries.
        """
        if self.phase is Phase.DISCONNECTING:
            # Whether the loss will be retried is decided when the connection ends. A
            # message waits for that decision, where there can be a retry at all.
            return retries and self.after_close == "retry"
        return self.phase in (Phase.CONNECTING, Phase.OPEN, Phase.RECONNECTING)


# ── Events ──────────────────────────────────────────────────────────────────


class ConnectAsked(NamedTuple):
    """`connect()` was called; `same_target` keeps what is known about the target."""

    url: str
    same_target: bool = False


class ReconnectAsked(NamedTuple):
    """`reconnect()` was called."""


class DisconnectAsked(NamedTuple):
    """`disconnect()` was called."""

    code: int | None = 1000
    reason: str | None = None


class CloseAsked(NamedTuple):
    """`close()` was called."""

    code: int | None = 1000
    reason: str | None = None


class AbortAsked(NamedTuple):
    """A call was cancelled, or the client is no longer referenced: abort."""

    finish: bool = False


class UrlResolved(NamedTuple):
    """The URL provider of an attempt has returned a URL."""

    attempt: int
    url: str


class Opened(NamedTuple):
    """An attempt succeeded."""

    attempt: int
    protocol: str | None = None


class BecameStable(NamedTuple):
    """The connection has been open for `min_uptime`: the failure streak ends."""

    attempt: int


class AttemptFailed(NamedTuple):
    """An attempt failed."""

    attempt: int
    error: WSError
    # Decided by the shell and not by the table: it takes the clock, randomness and
    # `retry_if`, which is user code, and the table has to stay pure.
    decision: RetryDecision


class ClosingSeen(NamedTuple):
    """The peer began the closing handshake, or the protocol failed."""

    attempt: int
    code: int | None
    reason: str | None


class Lost(NamedTuple):
    """A connection has ended; `decision` counts unless we asked for the end."""

    attempt: int
    code: int | None
    reason: str | None
    decision: RetryDecision


class Replaced(NamedTuple):
    """The connection closes in the background; a new one may be opened."""

    attempt: int


class RetryDue(NamedTuple):
    """The wait that followed attempt `attempt` is over."""

    attempt: int


Request = ConnectAsked | ReconnectAsked | DisconnectAsked | CloseAsked | AbortAsked
"""What the application asked for."""

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
"""What happened to the attempt with the id that the event holds."""

Event = Request | Occurrence

# ── Commands ────────────────────────────────────────────────────────────────


class StartAttempt(NamedTuple):
    """Begin attempt `attempt`."""

    attempt: int


class Abandon(NamedTuple):
    """Cancel the attempt, or abort its connection. It reports nothing more."""

    attempt: int


class BeginClose(NamedTuple):
    """Begin the closing handshake; `Lost` follows."""

    attempt: int
    code: int | None
    reason: str | None


class DiscardReceived(NamedTuple):
    """Deliver nothing more of what the connections have received."""


class CloseInBackground(NamedTuple):
    """Close the connection in the background; `Replaced` follows at once."""

    attempt: int


class Wait(NamedTuple):
    """Feed `RetryDue(attempt)` after `delay` seconds."""

    attempt: int
    delay: float


class StopWaiting(NamedTuple):
    """Cancel the timer of `Wait`."""

    attempt: int


class FailSends(NamedTuple):
    """Fail all messages that wait to be sent: the next server must not get them."""


class PublishState(NamedTuple):
    """Report the state to the log, `on_event`, the history and `state_changes`."""

    state: WebSocketClientState
    final: bool


class OpenConnection(NamedTuple):
    """Begin to deliver and to send messages."""


class StartStableTimer(NamedTuple):
    """Feed `BecameStable(attempt)` after `min_uptime` seconds."""

    attempt: int


class AnswerConnect(NamedTuple):
    """Let the call that waits for a connection return."""


class StopSending(NamedTuple):
    """Send nothing more; fail what may be sent on this connection only."""


class CountEnd(NamedTuple):
    """Count the end of a connection that was open, and end its session."""

    code: int | None
    reason: str | None


class WatchEnvironment(NamedTuple):
    """Start to watch the page, the network and the clock."""


class StopWatchingEnvironment(NamedTuple):
    """Stop watching the page, the network and the clock."""


class ReportIdle(NamedTuple):
    """No connection is open or expected: streams end, and calls return or raise."""

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
