"""The native backend: WebSockets over the library `websockets`."""

from ws_common.options.options import Connector, WebSocketOptions
from ws_common.options.platform import Platform

__all__ = ["PLATFORM"]


def _connector(options: WebSocketOptions) -> Connector:
    # Here and not above: the library costs three times as much as the rest of
    # `import ws`, and a program that only names our types need not pay for it.
    from ws_vm.connector import WebsocketsConnector  # noqa: PLC0415

    return WebsocketsConnector(options)


def _any_close_code(code: int) -> None:
    """Allow it: natively, what the protocol lets a peer send can be sent."""


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
