"""WebSocket close status codes, and which of them an endpoint may send.

Sources: RFC 6455 section 7.4; the IANA registry "WebSocket Close Code Number
Registry"; the WHATWG WebSockets standard for what a page may pass to `close()`.
"""

from enum import IntEnum

MAX_REASON_BYTES = 123
"""A control frame holds 125 bytes, and the code takes two (RFC 6455 section 5.5)."""


class WebSocketStatusCode(IntEnum):
    """The close status codes that have a name.

    Example:
        >>> WebSocketStatusCode(1001).codename
        'GOING_AWAY'
        >>> WebSocketStatusCode.ABNORMAL_CLOSURE.is_sendable
        False
    """

    NORMAL_CLOSURE = 1000
    """The purpose of the connection has been fulfilled."""
    GOING_AWAY = 1001
    """A server is going down, or the user navigates away from the page."""
    PROTOCOL_ERROR = 1002
    """The peer broke the protocol."""
    UNSUPPORTED_DATA = 1003
    """The endpoint received a type of data that it cannot accept."""
    NO_STATUS_RECEIVED = 1005
    """The Close frame of the peer contained no code. Never sent."""
    ABNORMAL_CLOSURE = 1006
    """The connection ended without a Close frame. Never sent."""
    INVALID_FRAME_PAYLOAD_DATA = 1007
    """The data of a message does not match its type: text that is not UTF-8."""
    POLICY_VIOLATION = 1008
    """A message violates the policy of the endpoint, and no other code fits."""
    MESSAGE_TOO_BIG = 1009
    """A message was larger than the endpoint accepts."""
    MANDATORY_EXTENSION = 1010
    """The server did not negotiate an extension that the client requires."""
    INTERNAL_ERROR = 1011
    """The server met an unexpected condition."""
    SERVICE_RESTART = 1012
    """The server is restarting; clients should reconnect after a random delay."""
    TRY_AGAIN_LATER = 1013
    """The server is overloaded; clients should reconnect later."""
    BAD_GATEWAY = 1014
    """A gateway received an invalid response from its upstream server."""
    TLS_HANDSHAKE = 1015
    """The TLS handshake failed. Never sent."""
    UNAUTHORIZED = 3000
    """The endpoint requires authorization (like HTTP 401)."""
    FORBIDDEN = 3003
    """The client is authorized, and may not access the endpoint (like HTTP 403)."""
    TIMEOUT = 3008
    """The endpoint took too long (like HTTP 408)."""

    @property
    def codename(self) -> str:
        """The name of the code in the IANA registry, in capitals."""
        return self.name

    @property
    def is_sendable(self) -> bool:
        """Whether an endpoint may send this code in a Close frame."""
        return is_sendable(self)


# 1004 is reserved without a meaning; 1005, 1006 and 1015 only describe what an endpoint
# has seen (RFC 6455 section 7.4.1). 1012 to 1014 were registered after the RFC.
# Codes from 1016 to 2999 are reserved for later versions of the protocol.
_SENDABLE = frozenset([*range(1000, 1015), *range(3000, 5000)]) - {1004, 1005, 1006}


def is_sendable(code: int) -> bool:
    """Return whether RFC 6455 allows an endpoint to send this code in a Close frame.

    A browser allows a page fewer codes: see `Platform.check_close_code`.
    """
    return code in _SENDABLE


def describe(code: int | None) -> str:
    """Return a code as messages show it: `1001 GOING_AWAY`, `4009` or `no code`."""
    if code is None:
        return "no code"
    try:
        return f"{code} {WebSocketStatusCode(code).codename}"
    except ValueError:
        return str(code)
