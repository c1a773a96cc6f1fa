"""Why a state changed: one name for each reason, the same in history, logs and docs."""

from typing import Literal

Cause = Literal[
    "connect",
    "reconnect",
    "disconnect",
    "close",
    "cancelled",
    "addressed",
    "opened",
    "attempt_failed",
    "attempt_timeout",
    "after_connect_failed",
    "retry_due",
    "replaced",
    "peer_closing",
    "protocol_failure",
    "closed",
    "peer_closed",
    "network_lost",
    "heartbeat_timeout",
    "close_timeout",
    "abandoned",
]
"""Named causes.

connect, reconnect, disconnect, close: somebody called it.
cancelled: a `connect()` or `disconnect()` was cancelled.
addressed: the URL provider has answered.
opened: the attempt succeeded.
attempt_failed, attempt_timeout, after_connect_failed: it did not.
retry_due: the wait for the next attempt is over.
replaced: the connection makes room for a new one.
peer_closing: the peer's Close frame came.
protocol_failure: the peer broke the protocol or a limit; we closed.
closed: the closing handshake that was asked for is done.
peer_closed: the closing handshake that the peer began is done.
network_lost: the connection ended without a closing handshake.
heartbeat_timeout: no sign of life within `heartbeat.timeout`.
close_timeout: a closing handshake was not finished within `close_timeout`.
abandoned: the attempt was overtaken; its socket was freed.
"""
