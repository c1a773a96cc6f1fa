"""How many messages of a connection have arrived, as far as that is known.

Messages that were handed over before a ping have arrived once the ping is answered,
since TCP keeps their order. Later ones may be lost with the connection.
"""

from ws_common.diagnostics.metrics import Counters


class Confirmations:
    """Count the messages of one connection in the counters of its client.

    Args:
        counters: The counters of the client, which all its connections share.
    """

    __slots__ = ("_counters", "_frozen")

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        # The number that `freeze()` has kept; -1 before that. An int, since a field
        # that may be None would look like a state of the connection.
        self._frozen = -1

    @property
    def handed_over(self) -> int:
        """How many messages all connections of the client have been handed."""
        return self._counters.transferred_count

    @property
    def unconfirmed(self) -> int:
        """How many messages may not have arrived."""
        if self._frozen >= 0:
            return self._frozen
        return self.handed_over - self._counters.confirmed_count

    def add(self, size: int) -> None:
        """Count a message that was handed over; `size` is its payload in bytes."""
        self._counters.transferred_count += 1
        self._counters.transferred_size += size

    def confirm(self, latency: float, confirmed: int) -> None:
        """Confirm what was handed over before a ping that has been answered.

        Args:
            latency: The round trip, in seconds.
            confirmed: The value of `handed_over` when the ping was sent.
        """
        # The highest one counts: pings of the keepalive and of `client.ping()` overlap,
        # and RFC 6455, section 5.5.3, lets a peer answer only the latest one.
        counters = self._counters
        counters.latency = latency
        counters.confirmed_count = max(counters.confirmed_count, confirmed)

    def freeze(self) -> None:
        """Keep `unconfirmed` as it is now. Idempotent.

        The next connection of the client adds its messages to the same counters.
        """
        self._frozen = self.unconfirmed
