"""The failure streak: how many attempts have failed in a row, and in what way."""

from typing import NamedTuple


class FailureStreak(NamedTuple):
    """The failures since a connection was last stable.

    Attributes:
        failures: The number of failed attempts in a row.
        retries: The number of retries made so far: the n of the backoff.
        refusals: The number of refusals in a row, by HTTP status or close code.
        spread: Whether a server said, at any point of the streak, that all its
            clients lose their connections at once. All delays of the streak are then
            drawn from the whole interval.
    """

    failures: int = 0
    retries: int = 0
    refusals: int = 0
    spread: bool = False

    def after_failure(
        self, *, refused: bool, attempt: bool, spread: bool
    ) -> "FailureStreak":
        """Return the streak after one more failure.

        Args:
            refused: Whether the server refused with a status or a code that is final
                by itself.
            attempt: Whether this counts as a failed attempt. The loss of a stable
                connection does not.
            spread: Whether the server said that it restarts or is overloaded.
        """
        return self._replace(
            failures=self.failures + attempt,
            # A timeout or a 503 between two refusals shows that the server is in
            # trouble, so the refusals before it say little: the count starts anew.
            refusals=self.refusals + 1 if refused else 0,
            # `spread` is kept until the streak ends. Spreading only the first retry
            # lets the second, third and fourth retries of a fleet overlap.
            spread=self.spread or spread,
        )

    def after_retry(self) -> "FailureStreak":
        """Return the streak as the next attempt begins."""
        return self._replace(retries=self.retries + 1)
