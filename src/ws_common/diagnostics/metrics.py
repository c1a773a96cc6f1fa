"""Metrics: what a client has sent and received, and how its connections ended."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Self, get_args

from ws_common.lifecycle.states import WebSocketReadyState


@dataclass(slots=True)
class Counters:
    """The counters that the parts of a client increment."""

    # Plain attributes, as two of them are incremented for every batch received and two
    # for every message sent; a `WebSocketMetrics` is made only when a program asks.
    # They belong to the client and not to a connection, so that they survive a loss.

    transferred_size: int = 0
    received_size: int = 0
    transferred_count: int = 0
    received_count: int = 0
    confirmed_count: int = 0
    dropped_count: int = 0
    skipped_count: int = 0
    reconnects_successful: int = 0
    reconnects_total: int = 0
    disconnects: int = 0
    last_successful_connection_time: datetime | None = None
    last_disconnect_time: datetime | None = None
    last_disconnect_code: int | None = None
    last_disconnect_reason: str | None = None
    latency: float | None = None

    def count_opened(self, at: datetime, *, again: bool) -> None:
        """Count a connection that has opened.

        Args:
            at: The time, UTC.
            again: Whether it is a reconnection, and not the client's first connection.
        """
        self.last_successful_connection_time = at
        self.reconnects_successful += again

    def count_ended(self, at: datetime, code: int | None, reason: str | None) -> None:
        """Count a connection that has ended.

        Args:
            at: The time, UTC.
            code: Its close code.
            reason: Its close reason.
        """
        self.disconnects += 1
        self.last_disconnect_time = at
        self.last_disconnect_code = code
        self.last_disconnect_reason = reason
        # What it left unconfirmed has been reported with its end. It must not count as
        # unconfirmed on the next connection, whose pings say nothing about it.
        self.confirmed_count = self.transferred_count


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketMetrics:
    """A snapshot of the metrics of a client, made on demand.

    Sizes are payload bytes between the interceptors and the network; text is counted
    as UTF-8.

    Attributes:
        timestamp: When the snapshot was made, UTC.
        ready_state: The state as a browser's `readyState` numbers it.
        transferred_size: Bytes handed over to connections.
        received_size: Bytes received.
        transferred_count: Messages handed over to connections.
        received_count: Messages received.
        reconnects_successful: Connections opened, without the first one.
        reconnects_total: Attempts to reconnect.
        disconnects: Connections that have ended.
        last_successful_connection_time: When the last connection opened, UTC.
        last_disconnect_time: When the last connection ended, UTC.
        last_disconnect_code: The close code of the connection that ended last.
        last_disconnect_reason: The close reason of the connection that ended last.
        last_url: The last URL, without credentials and query values.
        is_reconnection_active: Whether the client is reconnecting, or waits to do so.
        current_reconnect_attempts: Failed attempts in a row.
        next_reconnection_attempt: When the next attempt begins, UTC.
        latency: The last measured round trip, in seconds.
        uptime: Seconds for which the current connection has been open.
        buffered_amount: Bytes in the send buffer, not yet taken by the network.
        unconfirmed_count: Messages handed over since the last answered ping, which an
            abnormal loss may have cost.
        dropped_count: Messages that were dropped: by an overflow in either direction;
            because the client closed or replaced their connection before they were
            read; or because no subscriber was left to read them.
        skipped_count: Messages that `stream.json`, or `decode(on_error="skip")`, could
            not decode and left out, counted once for each subscriber.
        client_name: The option `name` of the client, or None.

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> async def main() -> None:
        ...     fake = WebSocketClientFake(answer=lambda data: "welcome")
        ...     async with WebSocketClient.from_client(fake) as client:
        ...         await client.connect("ws://anywhere/")
        ...         await client.add("hello")
        ...         await client.recv()
        ...         figures = client.metrics
        ...         print(figures.transferred_count, figures.received_size)
        ...         print(figures.to_json()["receivedSize"])
        >>> asyncio.run(main())
        1 7
        7
    """

    timestamp: datetime
    ready_state: WebSocketReadyState
    transferred_size: int
    received_size: int
    transferred_count: int
    received_count: int
    reconnects_successful: int
    reconnects_total: int
    disconnects: int
    last_successful_connection_time: datetime | None
    last_disconnect_time: datetime | None
    last_disconnect_code: int | None
    last_disconnect_reason: str | None
    last_url: str | None
    is_reconnection_active: bool
    current_reconnect_attempts: int
    next_reconnection_attempt: datetime | None
    latency: float | None
    uptime: float
    buffered_amount: int
    unconfirmed_count: int
    dropped_count: int
    skipped_count: int
    client_name: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return all metrics by the names of their attributes."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary for `json.dumps`.

        Keys are in camelCase, times are milliseconds since the epoch. The four totals
        are strings, since a JavaScript number has only 53 bits for an integer.
        """
        return {
            _to_camel_case(f.name): _to_json(f.name, getattr(self, f.name))
            for f in fields(self)
        }

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> Self:
        """Make a snapshot from the result of `to_json()`.

        It also reads what the Dart package `ws` and older versions of this package
        write, which have fewer metrics.

        Args:
            json: The dictionary.

        Raises:
            ValueError: A key is missing, or its value has the wrong type or range.
        """
        try:
            values = {**_DEFAULTS, **json}
            return cls(
                **{
                    f.name: _from_json(f.name, f.type, values[_to_camel_case(f.name)])
                    for f in fields(cls)
                }
            )
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise ValueError(
                f"not the JSON of WebSocketMetrics: {type(error).__name__} {error}"
            ) from error

    def __str__(self) -> str:
        """Return one line `- name: value` for each metric."""
        lines = (
            f"- {f.name}: {_format_value(getattr(self, f.name))}" for f in fields(self)
        )
        return "\n".join(lines)


_TOTALS = frozenset(
    {"transferred_size", "received_size", "transferred_count", "received_count"}
)
_NUMBER = (int, float)
_JSON_TYPES: Mapping[Any, Any] = MappingProxyType({datetime: _NUMBER, float: _NUMBER})
"""The types that a value may have in JSON, if they differ from the attribute's."""
# What the metrics are that the Dart package, or an older version, does not write.
_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "latency": None,
        "uptime": 0.0,
        "bufferedAmount": 0,
        "unconfirmedCount": 0,
        "droppedCount": 0,
        "skippedCount": 0,
        "clientName": None,
    }
)
# Times are computed in integers: `int(at.timestamp() * 1000)` is a millisecond off for
# some times, so that `from_json(to_json())` would not return an equal snapshot.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def _to_camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _to_json(name: str, value: Any) -> Any:
    if name in _TOTALS:
        return str(value)
    # Whole milliseconds, as JavaScript's `Date` and the Dart package have them.
    if isinstance(value, datetime):
        return (value - _EPOCH) // _MILLISECOND
    return int(value) if isinstance(value, WebSocketReadyState) else value


def _from_json(name: str, kind: Any, value: Any) -> Any:
    kind, *alternatives = get_args(kind) or (kind,)
    if value is None and alternatives:  # the kind is `X | None`
        return None
    if kind is WebSocketReadyState:
        return WebSocketReadyState(value)
    # JSON has one kind of number, so that a float may arrive as 3; but `True`, which is
    # an int for Python, is no number there.
    allowed = (int, str) if name in _TOTALS else _JSON_TYPES.get(kind, kind)
    if not isinstance(value, allowed) or (kind is not bool and isinstance(value, bool)):
        raise TypeError(f"{_to_camel_case(name)}: {value!r}")
    return _parse_time(value) if kind is datetime else kind(value)


def _parse_time(milliseconds: Any) -> datetime:
    return _EPOCH + int(milliseconds) * _MILLISECOND


def _format_value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, WebSocketReadyState):
        return value.name
    return f"{value:.3f}" if isinstance(value, float) else str(value)
