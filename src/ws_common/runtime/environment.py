"""What goes on around a client: the network, the page, the clock.

It decides when an attempt that the machine has asked for is begun, and when an open
connection is asked whether it lives. It watches while a client is not at rest.
"""

from collections.abc import Callable
from random import Random

from ws_common.options.platform import Platform
from ws_common.runtime.retry_timer import RetryTimer
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.clock_watch import get_clock_watch
from ws_common.vocabulary.environment_events import (
    ENVIRONMENT_EVENTS,
    EnvironmentEvent,
    EnvironmentEvents,
)


class Environment:
    """The surroundings of one client.

    Args:
        platform: What tells of them.
        rng: Where jitter comes from.
        on_due: Told which wait for an attempt is over, and why.
        probe: Asks an open connection; `after_gap`: time may have passed unnoticed.
        report: Reports an event.

    Attributes:
        wait: The wait for the next attempt.
    """

    __slots__ = ("_events", "_platform", "_probe", "_report", "wait")

    def __init__(
        self,
        platform: Platform,
        rng: Random,
        *,
        on_due: Callable[[int, Cause], None],
        probe: Callable[..., None],
        report: Callable[..., None],
    ) -> None:
        self.wait = RetryTimer(on_due, rng)
        self._platform = platform
        self._probe = probe
        self._report = report
        self._events: EnvironmentEvents | None = None

    def start(self) -> None:
        """Watch. Idempotent."""
        platform = self._platform
        get_clock_watch(platform.clock, platform.timer_slack).start(self._clock_jumped)
        if self._events is None and self._platform.environment_events is not None:
            self._events = self._platform.environment_events()
            self._events.start(self._heard)
            if self._events.is_offline:
                self.wait.hold("offline")

    def stop(self) -> None:
        """Watch no more, wait for nothing, and free everything. Idempotent."""
        platform = self._platform
        get_clock_watch(platform.clock, platform.timer_slack).stop(self._clock_jumped)
        self.wait.reset()
        environment_events, self._events = self._events, None
        if environment_events is not None:
            environment_events.stop()

    def _heard(self, event: EnvironmentEvent) -> None:
        self._report("environment_changed", event=event)
        meaning = ENVIRONMENT_EVENTS[event]
        if meaning.hold is not None:
            self.wait.hold(meaning.hold)
        if meaning.release is not None and meaning.cause is not None:
            self.wait.release(meaning.release, meaning.cause)
        if meaning.probe:
            self._probe(after_gap=meaning.gap)

    def _clock_jumped(self, seconds: float) -> None:
        """The machine slept, or the page was frozen: what was true may not be."""
        self._report("clock_jumped", seconds=seconds)
        self._probe(after_gap=True)
        self.wait.end()
