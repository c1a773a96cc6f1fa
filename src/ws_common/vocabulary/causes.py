"""The causes of state changes.

History, events, logs, `explain()` and the documentation use the same name for the same
cause, so that a line of a log can be looked up in the docs.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Cause = Literal[
    "connect",
    "reconnect",
    "disconnect",
    "close",
    "cancelled",
    "url_resolved",
    "opened",
    "attempt_failed",
    "attempt_timeout",
    "after_connect_failed",
    "retry_due",
    "online",
    "page_shown",
    "page_resumed",
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
"""The name of a cause; `MEANINGS` explains each one."""

# `explain()` puts these after "because", and `tools/diagram.py` copies them into the
# table of causes in docs/lifecycle.md: run `python -m tools.diagram` after a change.
MEANINGS: Mapping[Cause, str] = MappingProxyType(
    {
        "connect": "connect() was called",
        "reconnect": "reconnect() was called",
        "disconnect": "disconnect() was called",
        "close": "close() was called",
        "cancelled": "a call that was waiting was cancelled",
        "url_resolved": "the URL provider has answered",
        "opened": "the attempt succeeded",
        "attempt_failed": "the attempt failed",
        "attempt_timeout": "the attempt took longer than `timeout`",
        "after_connect_failed": (
            "`after_connect` failed, or the connection ended while it ran"
        ),
        "retry_due": "the wait for the next attempt is over",
        "online": "the network is back",
        "page_shown": "the page came back from the back/forward cache",
        "page_resumed": "the frozen page was resumed",
        "replaced": "the previous connection was closed to be replaced",
        "peer_closing": "the peer sent a Close frame",
        "protocol_failure": "the peer broke the protocol or a limit, so we closed",
        "closed": "the closing handshake that we began is complete",
        "peer_closed": "the closing handshake that the peer began is complete",
        "network_lost": "the connection ended without a closing handshake",
        "heartbeat_timeout": "the peer gave no sign of life in time",
        "close_timeout": "the closing was not finished within `close_timeout`",
        "abandoned": "the attempt was superseded and its socket was freed",
    }
)
"""What each cause means, worded to follow "because"."""
