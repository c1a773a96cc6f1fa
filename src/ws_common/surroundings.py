"""What goes on around a client: the network, the page, the clock.

It decides when an attempt that the machine has asked for is begun, and when an open
connection is asked whether it lives. It watches while a client is not at rest.
"""

from random import Random
from typing import Any, Protocol

from ws_common.causes import Cause
from ws_common.clock import watch_of_loop
from ws_common.platform import Platform
from ws_common.signals import SIGNALS, Signal, Signals
from ws_common.waiting import Waiting


class Inhabitant(Protocol):
    """Whose surroundings they are."""

    def wait_is_over(self, attempt: int, cause: Cause) -> None:
        """The wait that followed attempt `attempt` is over."""

    def probe(self, *, after_gap: bool) -> None:
        """Ask an open connection; `after_gap`: time may have passed unnoticed."""

    def note(self, name: str, **details: Any) -> None:
        """Report an event."""


class Surroundings:
    """The surroundings of one client.

    Args:
        platform: What tells of them.
        inhabitant: Whose they are.
        rng: Where jitter comes from.

    Attributes:
        wait: The wait for the next attempt.
    """

    __slots__ = ("_inhabitant", "_platform", "_signals", "wait")

    def __init__(self, platform: Platform, inhabitant: Inhabitant, rng: Random) -> None:
        self.wait = Waiting(inhabitant.wait_is_over, rng)
        self._platform = platform
        self._inhabitant = inhabitant
        self._signals: Signals | None = None

    def start(self) -> None:
        """Watch. Idempotent."""
        platform = self._platform
        watch_of_loop(platform.clock, platform.timer_slack).start(self._clock_jumped)
        if self._signals is None and self._platform.signals is not None:
            self._signals = self._platform.signals()
            self._signals.start(self._heard)
            if self._signals.is_offline:
                self.wait.hold("offline")

    def stop(self) -> None:
        """Watch no more, wait for nothing, and free everything. Idempotent."""
        platform = self._platform
        watch_of_loop(platform.clock, platform.timer_slack).stop(self._clock_jumped)
        self.wait.reset()
        signals, self._signals = self._signals, None
        if signals is not None:
            signals.stop()

    def _heard(self, signal: Signal) -> None:
        self._inhabitant.note("signal", signal=signal)
        meaning = SIGNALS[signal]
        if meaning.hold is not None:
            self.wait.hold(meaning.hold)
        if meaning.release is not None and meaning.cause is not None:
            self.wait.release(meaning.release, meaning.cause)
        if meaning.probe:
            self._inhabitant.probe(after_gap=meaning.gap)

    def _clock_jumped(self, seconds: float) -> None:
        """The machine slept, or the page was frozen: what was true may not be."""
        self._inhabitant.note("clock_jumped", seconds=seconds)
        self._inhabitant.probe(after_gap=True)
        self.wait.end()
