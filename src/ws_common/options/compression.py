"""permessage-deflate, as a client may ask for it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CompressionOptions:
    """permessage-deflate (RFC 7692).

    Attributes:
        enabled: Whether it is offered at all.
        client_max_window_bits: 8 to 15; None leaves it to the server.
        server_max_window_bits: 8 to 15; None asks for nothing.
        client_no_context_takeover: Compress every message by itself.
        server_no_context_takeover: Ask the server to do so.

    Example:
        A connection that keeps no window in memory between messages:

        >>> lean = CompressionOptions(
        ...     client_no_context_takeover=True, server_no_context_takeover=True
        ... )
        >>> options = WebSocketOptions.vm(compression=lean)
    """

    enabled: bool = True
    client_max_window_bits: int | None = None
    server_max_window_bits: int | None = None
    client_no_context_takeover: bool = False
    server_no_context_takeover: bool = False

    def __post_init__(self) -> None:
        """Validate."""
        for name in (
            "enabled",
            "client_no_context_takeover",
            "server_no_context_takeover",
        ):
            if not isinstance(flag := getattr(self, name), bool):
                msg = f"compression.{name} must be True or False, not {flag!r}"
                raise TypeError(msg)
        for name in ("client_max_window_bits", "server_max_window_bits"):
            bits = getattr(self, name)
            if bits is not None and (type(bits) is not int or not 8 <= bits <= 15):  # noqa: PLR2004
                msg = f"compression.{name} must be 8 to 15 or None, not {bits!r}"
                raise ValueError(msg)
