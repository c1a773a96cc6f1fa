"""Everything that `ws` raises.

    WSError                          code
    ├── WSNotConnectedError          ws_not_connected
    │   ├── WSHandshakeError         ws_handshake: status, headers, retry_after
    │   ├── WSTimeoutError           ws_timeout (also a TimeoutError)
    │   ├── WSRetriesExhaustedError  ws_retries_exhausted: attempts
    │   ├── WSConnectionClosedError  ws_connection_closed: close_code, close_reason, …
    │   ├── WSSupersededError        ws_superseded
    │   └── WSInvalidUrlError        ws_invalid_url (also a ValueError)
    ├── WSClientClosedError          ws_client_closed
    ├── WSSendError                  ws_send
    │   ├── WSUnsupportedDataError   ws_unsupported_data (also a TypeError)
    │   ├── WSOutboxFullError        ws_outbox_full
    │   └── WSMessageDroppedError    ws_message_dropped
    ├── WSDisconnectError            ws_disconnect
    │   └── WSInvalidCloseError      ws_invalid_close (also a ValueError)
    ├── WSStreamOverflowError        ws_stream_overflow
    └── WSUnsupportedError           ws_unsupported

What the platform raised is the `__cause__`. Facts are attributes, so that no
program has to parse a message. URLs in messages carry no credentials and no
query values. Every error can be pickled and copied.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from ws_common.vocabulary.status_codes import describe

_ABNORMAL = 1006


class WSError(Exception):
    """Base of everything that `ws` raises."""

    code: ClassVar[str] = "ws"
    """A stable name of the kind of error, for machines."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy by state: the constructors take keywords."""
        return type(self).__new__, (type(self), *self.args), dict(self.__dict__)


def clear_tracebacks(error: BaseException) -> None:
    """Drop the tracebacks of an error and of all that led to it.

    The history keeps errors, and their frames would keep sockets, buffers and tasks:
    40 KiB an entry. Not for what a user's code raised, where they are worth it.
    """
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            one.__traceback__ = None
            pending += [one.__cause__, one.__context__]


class WSNotConnectedError(WSError):
    """No connection is open and none is coming."""

    code = "ws_not_connected"


class WSHandshakeError(WSNotConnectedError):
    """The server did not agree to speak WebSocket.

    Attributes:
        status: The HTTP status, or None where it is not known (a browser hides it).
        headers: The response's headers, names in lower case.
        retry_after: Seconds to wait that the server asked for, or None.
        permanent: Whether no later attempt can succeed without a change on this
            side: a certificate that does not verify, a blocked scheme.
        status_is_inferred: Whether the status may differ from the handshake's: a page
            asked over HTTP (the option `diagnose`). It is final only the third time
            in a row.
    """

    code = "ws_handshake"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        retry_after: float | None = None,
        permanent: bool = False,
        status_is_inferred: bool = False,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.status_is_inferred = status_is_inferred
        self.status = status
        self.headers: Mapping[str, str] = dict(headers)
        self.retry_after = retry_after


class WSTimeoutError(WSNotConnectedError, TimeoutError):
    """An attempt to connect took longer than `timeout`."""

    code = "ws_timeout"


class WSRetriesExhaustedError(WSNotConnectedError):
    """`max_attempts` attempts in a row have failed; the last error is the cause.

    Attributes:
        attempts: How many were made.
    """

    code = "ws_retries_exhausted"

    def __init__(self, message: str, *, attempts: int = 0) -> None:
        super().__init__(message)
        self.attempts = attempts


class WSConnectionClosedError(WSNotConnectedError):
    """The connection was closed.

    Attributes:
        close_code: As `CloseEvent.code` has it: 1005 where the peer's Close held
            none, 1006 where there was no closing handshake.
        close_reason: The peer's words, at most 123 bytes of UTF-8.
        was_clean: Whether there was a closing handshake.
        unconfirmed: Messages handed over since the last answered ping. They may
            or may not have arrived.
    """

    code = "ws_connection_closed"

    def __init__(
        self,
        message: str | None = None,
        *,
        close_code: int | None = 1006,
        close_reason: str = "",
        was_clean: bool = False,
        unconfirmed: int = 0,
    ) -> None:
        super().__init__(message or _describe_end(close_code, close_reason))
        self.close_code = close_code
        self.close_reason = close_reason
        self.was_clean = was_clean
        self.unconfirmed = unconfirmed


def _describe_end(code: int | None, reason: str) -> str:
    suffix = f" ({reason!r})" if reason else ""
    if code == _ABNORMAL:
        return f"the connection was lost without a closing handshake (1006){suffix}"
    return f"the connection was closed with {describe(code)}{suffix}"


class WSSupersededError(WSNotConnectedError):
    """A later call overtook this `connect()` or `reconnect()`."""

    code = "ws_superseded"


class WSInvalidUrlError(WSNotConnectedError, ValueError):
    """The URL is not one that a WebSocket can be opened to."""

    code = "ws_invalid_url"


class WSClientClosedError(WSError):
    """The client was closed for good; make a new one."""

    code = "ws_client_closed"


class WSSendError(WSError):
    """A message was not sent."""

    code = "ws_send"


class WSUnsupportedDataError(WSSendError, TypeError):
    """The object cannot be sent: not text, not bytes, or text with lone surrogates."""

    code = "ws_unsupported_data"


class WSOutboxFullError(WSSendError):
    """The outbox is full and its overflow is "error"."""

    code = "ws_outbox_full"


class WSMessageDroppedError(WSSendError):
    """The outbox dropped the message, or it expired there."""

    code = "ws_message_dropped"


class WSDisconnectError(WSError):
    """The connection could not be closed as asked."""

    code = "ws_disconnect"


class WSInvalidCloseError(WSDisconnectError, ValueError):
    """A close code or reason that may not be sent."""

    code = "ws_invalid_close"


class WSStreamOverflowError(WSError):
    """A subscriber did not keep up and its buffer's overflow is "error"."""

    code = "ws_stream_overflow"


class WSUnsupportedError(WSError):
    """Not on this platform; the message says what to use instead."""

    code = "ws_unsupported"
