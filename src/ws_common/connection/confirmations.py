"""How many messages of a connection have arrived, as far as that is known.

What was handed over and stands in front of an answered ping has arrived. What came
after it may be lost with the connection: nobody can know.
"""

from ws_common.diagnostics.metrics import Counters


class Confirmations:
    """Counts for one connection; the counters are the client's.

    Args:
        counters: What counts messages across connections.
    """

    __slots__ = ("_counters", "_frozen")

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._frozen = -1  # not yet

    @property
    def handed_over(self) -> int:
        """How many messages have been handed over, ever."""
        return self._counters.transferred_count

    @property
    def unconfirmed(self) -> int:
        """How many of them may not have arrived."""
        if self._frozen >= 0:
            return self._frozen
        return self.handed_over - self._counters.confirmed_count

    def add(self, size: int) -> None:
        """Count a message that was handed over; `size` is its payload in bytes."""
        self._counters.transferred_count += 1
        self._counters.transferred_size += size

    def confirm(self, latency: float, confirmed: int) -> None:
        """A ping was answered: what was handed over before it has arrived.

        Args:
            latency: The round trip, in seconds.
            confirmed: What `handed_over` was when the ping was sent.
        """
        counters = self._counters
        counters.latency = latency
        counters.confirmed_count = max(counters.confirmed_count, confirmed)

    def freeze(self) -> None:
        """Stay as it is: other connections are counted from now on. Idempotent."""
        self._frozen = self.unconfirmed
