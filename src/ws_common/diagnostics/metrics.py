"""Figures: what went through a client, and what became of its connections."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Self, get_args

from ws_common.lifecycle.states import WebSocketReadyState


@dataclass(slots=True)
class Counters:
    """The counting side: plain numbers, cheap to raise."""

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
        """Count a connection that has opened; `again`: it is not the first."""
        self.last_successful_connection_time = at
        self.reconnects_successful += again

    def count_ended(self, at: datetime, code: int | None, reason: str | None) -> None:
        """Count a connection that has ended; what it left unconfirmed was told."""
        self.disconnects += 1
        self.last_disconnect_time = at
        self.last_disconnect_code = code
        self.last_disconnect_reason = reason
        self.confirmed_count = self.transferred_count


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketMetrics:
    """A snapshot, made on demand.

    Sizes are payload bytes on the wire side of the interceptors, text counted as
    UTF-8.

    Attributes:
        timestamp: When it was made, UTC.
        ready_state: As a browser numbers it.
        transferred_size: Bytes handed over to be sent.
        received_size: Bytes received.
        transferred_count: Messages handed over to be sent.
        received_count: Messages received.
        reconnects_successful: Reconnections, not first connections.
        reconnects_total: Attempts to reconnect.
        disconnects: Connections that ended.
        last_successful_connection_time: When the last one opened, UTC.
        last_disconnect_time: When the last one ended, UTC.
        last_disconnect_code: With which close code.
        last_disconnect_reason: With which reason.
        last_url: Where to, without credentials and query values.
        is_reconnection_active: Whether a reconnection is under way or waited for.
        current_reconnect_attempts: Failed attempts in a row.
        next_reconnection_attempt: When the next one is made, UTC.
        latency: Seconds of the last measured round trip.
        uptime: Seconds that the current connection has been open.
        buffered_amount: Bytes handed over that have not left for the network.
        unconfirmed_count: Messages handed over since the last answered ping: what
            an abnormal loss may have cost.
        dropped_count: Messages dropped by an overflow, in and out, those that came,
            or waited, when we closed or replaced their connection, and those that
            came, or were left unread, when the last subscriber had gone.
        skipped_count: Messages that `stream.json`, or `decode(on_error="skip")`, could
            not decode and left out, counted for each subscriber.

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

    def to_dict(self) -> dict[str, Any]:
        """Return every figure under the name of its attribute."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def to_json(self) -> dict[str, Any]:
        """Return what `json.dumps` takes: camelCase keys, times as epoch milliseconds.

        The four totals are strings, since a JavaScript number holds 53 bits.
        """
        return {
            _to_camel_case(f.name): _to_json(f.name, getattr(self, f.name))
            for f in fields(self)
        }

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> Self:
        """Make the snapshot that `to_json()` was made of.

        What the Dart package `ws` and older versions of this one write is read too:
        they know fewer figures.

        Raises:
            ValueError: A key is missing, or its value makes no sense.
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
        """One `- name: value` line each."""
        lines = (
            f"- {f.name}: {_format_value(getattr(self, f.name))}" for f in fields(self)
        )
        return "\n".join(lines)


_TOTALS = frozenset(
    {"transferred_size", "received_size", "transferred_count", "received_count"}
)
_NUMBER = (int, float)
_JSON_TYPES: Mapping[Any, Any] = MappingProxyType({datetime: _NUMBER, float: _NUMBER})
"""What a value in JSON may be, where it is not of the figure's own kind."""
_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "latency": None,
        "uptime": 0.0,
        "bufferedAmount": 0,
        "unconfirmedCount": 0,
        "droppedCount": 0,
        "skippedCount": 0,
    }
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def _to_camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _to_json(name: str, value: Any) -> Any:
    if name in _TOTALS:
        return str(value)
    if isinstance(value, datetime):
        return (value - _EPOCH) // _MILLISECOND
    return int(value) if isinstance(value, WebSocketReadyState) else value


def _from_json(name: str, kind: Any, value: Any) -> Any:
    kind, *alternatives = get_args(kind) or (kind,)
    if value is None and alternatives:  # or None
        return None
    if kind is WebSocketReadyState:
        return WebSocketReadyState(value)
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
