"""WebSocket close status codes, and who may send which.

Sources: RFC 6455 section 7.4; the IANA registry "WebSocket Close Code Number
Registry"; the WHATWG WebSockets standard for what a page may pass to `close()`.
"""

from enum import IntEnum

MAX_REASON_BYTES = 123
"""A control frame holds 125 bytes, two of them the code (RFC 6455 section 5.5)."""


class WebSocketStatusCode(IntEnum):
    """A close status code with a name.

    Example:
        >>> WebSocketStatusCode(1001).codename
        'GOING_AWAY'
        >>> WebSocketStatusCode.ABNORMAL_CLOSURE.is_sendable
        False
    """

    NORMAL_CLOSURE = 1000
    """The purpose of the connection has been fulfilled."""
    GOING_AWAY = 1001
    """A server goes down, or a page is navigated away from."""
    PROTOCOL_ERROR = 1002
    """The peer broke the protocol."""
    UNSUPPORTED_DATA = 1003
    """A kind of data came that the endpoint cannot accept."""
    NO_STATUS_RECEIVED = 1005
    """The peer's Close frame held no code. Never on the wire."""
    ABNORMAL_CLOSURE = 1006
    """The connection ended without a Close frame. Never on the wire."""
    INVALID_FRAME_PAYLOAD_DATA = 1007
    """A message did not fit its type: text that is not UTF-8."""
    POLICY_VIOLATION = 1008
    """The generic refusal where no other code fits."""
    MESSAGE_TOO_BIG = 1009
    """A message was larger than the endpoint takes."""
    MANDATORY_EXTENSION = 1010
    """The server did not negotiate an extension that the client requires."""
    INTERNAL_ERROR = 1011
    """The server met an unexpected condition."""
    SERVICE_RESTART = 1012
    """The server restarts; come back after a random delay."""
    TRY_AGAIN_LATER = 1013
    """The server is overloaded; come back later."""
    BAD_GATEWAY = 1014
    """A gateway got an invalid answer from behind it."""
    TLS_HANDSHAKE = 1015
    """The TLS handshake failed. Never on the wire."""
    UNAUTHORIZED = 3000
    """The endpoint needs authorization (as HTTP 401)."""
    FORBIDDEN = 3003
    """The endpoint refuses although authorized (as HTTP 403)."""
    TIMEOUT = 3008
    """The endpoint took too long (as HTTP 408)."""

    @property
    def codename(self) -> str:
        """The registry's name, in capitals."""
        return self.name

    @property
    def is_sendable(self) -> bool:
        """Whether an endpoint may put this code on the wire."""
        return is_sendable(self)


_SENDABLE = frozenset([*range(1000, 1015), *range(3000, 5000)]) - {1004, 1005, 1006}


def is_sendable(code: int) -> bool:
    """Whether RFC 6455 lets an endpoint send this code in a Close frame."""
    return code in _SENDABLE


def describe(code: int | None) -> str:
    """The code as people read it: `1001 GOING_AWAY`, `4009`, `no code`."""
    if code is None:
        return "no code"
    try:
        return f"{code} {WebSocketStatusCode(code).codename}"
    except ValueError:
        return str(code)
