"""What a connection has before its connector has returned a transport."""

from collections.abc import Awaitable
from typing import Final

from ws_common.errors import WSConnectionClosedError
from ws_common.messages import Data
from ws_common.transport import Handshake


class _NoTransport:
    """What a connection has before the connector has returned a transport."""

    __slots__ = ()
    protocol: str | None = None
    handshake = Handshake()
    buffered_amount = 0
    last_activity = 0.0
    can_pause = False

    def send(self, data: Data, *, text: bool) -> None:  # noqa: ARG002 - a protocol
        raise WSConnectionClosedError

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def ping(self) -> Awaitable[float] | None:
        raise WSConnectionClosedError

    def close(self, code: int | None, reason: str | None) -> None:
        pass

    def abort(self) -> None:
        pass


NO_TRANSPORT: Final = _NoTransport()
"""Takes nothing, brings nothing, and has nothing to free."""
