"""Options of the extension permessage-deflate (RFC 7692)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CompressionOptions:
    """What a client offers of permessage-deflate (RFC 7692).

    Attributes:
        enabled: Whether the extension is offered at all.
        client_max_window_bits: The window for messages to the server, 8 to 15; None
            lets the server decide.
        server_max_window_bits: The window for messages from the server, 8 to 15; None
            requests no limit.
        client_no_context_takeover: Compress every message independently.
        server_no_context_takeover: Ask the server to do the same.

    Example:
        Keep no window in memory between messages:

        >>> lean = CompressionOptions(
        ...     client_no_context_takeover=True, server_no_context_takeover=True
        ... )
        >>> options = WebSocketOptions.vm(compression=lean)
    """

    # On by default, as in browsers, where a page cannot turn it off. The memory that it
    # costs is that of two windows per connection, hence the other four options.
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
        # `type()`, because True is an `int`. 8 to 15 is the range of RFC 7692 section
        # 7.1.2.
        for name in ("client_max_window_bits", "server_max_window_bits"):
            bits = getattr(self, name)
            if bits is not None and (type(bits) is not int or not 8 <= bits <= 15):  # noqa: PLR2004
                msg = f"compression.{name} must be 8 to 15 or None, not {bits!r}"
                raise ValueError(msg)
