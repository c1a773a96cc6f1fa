"""The native backend: WebSockets over sockets, with the library `websockets`."""

from ws_common.options.options import Connector, WebSocketOptions
from ws_common.options.platform import Platform

__all__ = ["PLATFORM"]


def _connector(options: WebSocketOptions) -> Connector:
    # Imported here and not above: the library takes three times as long to import as
    # the rest of `ws`, and a program that only uses our types does not need it.
    from ws_vm.connector import WebsocketsConnector  # noqa: PLC0415

    return WebsocketsConnector(options)


def _any_close_code(code: int) -> None:
    """Accept any code: the library checks which ones RFC 6455 allows."""


PLATFORM = Platform(
    name="vm",
    connector=_connector,
    check_close_code=_any_close_code,
    stream_capacity=1024,
    stream_max_bytes=8 * 2**20,
    stream_overflow="pause",
    write_limit=64 * 1024,
    too_big_code=1009,
)
