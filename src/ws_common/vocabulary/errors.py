"""Every exception that `ws` raises.

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
    ├── WSDecodeError                ws_decode (also a ValueError)
    ├── WSDisconnectError            ws_disconnect
    │   └── WSInvalidCloseError      ws_invalid_close (also a ValueError)
    ├── WSStreamOverflowError        ws_stream_overflow
    └── WSUnsupportedError           ws_unsupported

An exception of the platform becomes the `__cause__`. Facts are attributes, so that no
program has to parse a message. URLs in messages contain no credentials and no query
values. Every error can be pickled and copied.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from ws_common.vocabulary.status_codes import describe

_ABNORMAL = 1006


class WSError(Exception):
    """Base class of every exception that `ws` raises."""

    code: ClassVar[str] = "ws"
    """A stable identifier of the class of error, for programs and log queries."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy by `args` and `__dict__`, without calling `__init__`."""
        # `BaseException.__reduce__` calls the class with `args` alone. That drops the
        # keyword arguments, and a subclass of a program whose `__init__` has other
        # parameters could not be unpickled at all. `__dict__` holds the notes too.
        return type(self).__new__, (type(self), *self.args), dict(self.__dict__)


def clear_tracebacks(error: BaseException) -> None:
    """Drop the tracebacks of an error, its causes and its contexts.

    The history keeps errors, and the frames of a traceback keep sockets, buffers and
    tasks alive: 40 KiB for each entry. This must not be called with exceptions that a
    user's code raised: there the traceback is what the user needs.
    """
    # A loop and not a recursion, with a set: `__context__` chains may be long, and user
    # code can make them circular.
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
    """The opening handshake failed: the server did not agree to a WebSocket.

    Attributes:
        status: The HTTP status, or None if it is not known (a browser hides it).
        headers: The headers of the response, with names in lower case.
        retry_after: The seconds that the server asked to wait, or None.
        permanent: Whether no later attempt can succeed unless something changes on
            this side: the certificate does not verify, or the scheme is blocked.
        status_is_inferred: Whether the status is that of a second request over HTTP
            (the option `diagnose`), which may differ from that of the handshake. Such
            a status ends the attempts only when it occurs three times in a row.
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
        # Not a `MappingProxyType`, which can be neither pickled nor copied deeply.
        self.headers: Mapping[str, str] = dict(headers)
        self.retry_after = retry_after


class WSTimeoutError(WSNotConnectedError, TimeoutError):
    """An attempt to connect took longer than `timeout`."""

    code = "ws_timeout"


class WSRetriesExhaustedError(WSNotConnectedError):
    """`max_attempts` attempts in a row failed; the last error is the `__cause__`.

    Attributes:
        attempts: How many attempts were made.
    """

    code = "ws_retries_exhausted"

    def __init__(self, message: str, *, attempts: int = 0) -> None:
        super().__init__(message)
        self.attempts = attempts


class WSConnectionClosedError(WSNotConnectedError):
    """The connection was closed.

    Attributes:
        close_code: The same as `CloseEvent.code` in a browser: 1005 if the peer's Close
            frame held no code, 1006 if there was no closing handshake.
        close_reason: The reason in the peer's Close frame, at most 123 bytes of UTF-8.
        was_clean: Whether the closing handshake was completed.
        unconfirmed: The number of messages that were sent since the last ping that was
            answered. They may or may not have arrived.
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


# The text is made once, when the error is: it is read in logs long after the connection
# is gone, and people know the names of the codes better than their numbers.
def _describe_end(code: int | None, reason: str) -> str:
    suffix = f" ({reason!r})" if reason else ""
    if code == _ABNORMAL:
        return f"the connection was lost without a closing handshake (1006){suffix}"
    return f"the connection was closed with {describe(code)}{suffix}"


class WSSupersededError(WSNotConnectedError):
    """A later call superseded this `connect()` or `reconnect()`."""

    code = "ws_superseded"


class WSInvalidUrlError(WSNotConnectedError, ValueError):
    """The URL is not a valid WebSocket URL."""

    code = "ws_invalid_url"


class WSClientClosedError(WSError):
    """The client was closed, and `close()` is final; make a new client."""

    code = "ws_client_closed"


class WSSendError(WSError):
    """A message was not sent."""

    code = "ws_send"


class WSUnsupportedDataError(WSSendError, TypeError):
    """The object is neither text nor bytes, or it is text with lone surrogates."""

    code = "ws_unsupported_data"


class WSOutboxFullError(WSSendError):
    """The outbox is full and its overflow is "error"."""

    code = "ws_outbox_full"


class WSMessageDroppedError(WSSendError):
    """The outbox dropped the message, or the message expired in the outbox."""

    code = "ws_message_dropped"


class WSDecodeError(WSError, ValueError):
    """A message is not what `recv_json()` expects; the cause says why."""

    code = "ws_decode"


class WSDisconnectError(WSError):
    """The connection could not be closed as requested."""

    code = "ws_disconnect"


class WSInvalidCloseError(WSDisconnectError, ValueError):
    """A close code or reason that may not be sent."""

    code = "ws_invalid_close"


class WSStreamOverflowError(WSError):
    """A subscriber did not keep up, and the overflow of its buffer is "error"."""

    code = "ws_stream_overflow"


class WSUnsupportedError(WSError):
    """This platform does not support the call; the message says what to use."""

    code = "ws_unsupported"
