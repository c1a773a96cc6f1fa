"""What a connection tells whoever owns it."""

from typing import TYPE_CHECKING, Any, Protocol

from ws_common.causes import Cause
from ws_common.transport import CloseInfo

if TYPE_CHECKING:
    from ws_common.connection import Connection


class Owner(Protocol):
    """Who is told what happens to a connection."""

    def connection_closing(self, connection: "Connection", close: CloseInfo) -> None:
        """A closing handshake has begun that we did not ask for."""

    def connection_ended(
        self, connection: "Connection", cause: Cause, close: CloseInfo
    ) -> None:
        """It is over. Comes once, and not after `abandon()` or `replace()`."""

    def connection_writable(self, connection: "Connection") -> None:
        """Its buffer is below the write limit again."""

    def note(self, name: str, **details: Any) -> None:
        """Report an event."""
