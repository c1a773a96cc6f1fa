"""How many attempts have failed in a row, and in what way."""

from typing import NamedTuple


class FailureStreak(NamedTuple):
    """A run of failures.

    Attributes:
        failures: Failed attempts in a row.
        retries: Retries made: the n of the backoff.
        refusals: Refusals by status or code in a row.
        spread: Whether a server said that everybody comes back at once: then all
            draws of the run are from the whole interval. Spreading the first alone
            lets the second, third and fourth retries of a fleet overlap.
    """

    failures: int = 0
    retries: int = 0
    refusals: int = 0
    spread: bool = False

    def after_failure(
        self, *, refused: bool, attempt: bool, spread: bool
    ) -> "FailureStreak":
        """The run after one more failure.

        Args:
            refused: By a status or a code that is final by itself.
            attempt: Whether it counts as a failed attempt; the loss of a stable
                connection does not.
            spread: The server said that it restarts or is overloaded.
        """
        return self._replace(
            failures=self.failures + attempt,
            refusals=self.refusals + 1 if refused else 0,
            spread=self.spread or spread,
        )

    def after_retry(self) -> "FailureStreak":
        """The run as the next attempt is made."""
        return self._replace(retries=self.retries + 1)
