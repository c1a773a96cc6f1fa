"""Why a state changed: one name for each reason, the same in history, logs and docs."""

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
"""Named causes; `MEANINGS` says what each one means."""

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
        "after_connect_failed": "`after_connect` failed, or the connection ended in it",
        "retry_due": "the wait for the next attempt is over",
        "online": "the network is back",
        "page_shown": "the page is shown again, out of the back/forward cache",
        "page_resumed": "the page was frozen and goes on",
        "replaced": "the connection before has made room",
        "peer_closing": "the peer sent a Close frame",
        "protocol_failure": "the peer broke the protocol or a limit, so we closed",
        "closed": "the closing that was asked for is done",
        "peer_closed": "the closing that the peer began is done",
        "network_lost": "the connection ended without a closing handshake",
        "heartbeat_timeout": "the peer gave no sign of life in time",
        "close_timeout": "the closing was not finished within `close_timeout`",
        "abandoned": "the attempt was overtaken and its socket freed",
    }
)
"""What the causes mean, in words that follow `because`."""
