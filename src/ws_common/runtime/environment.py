"""The environment of a client: the network, the page and the clock.

It decides when an attempt that the table has asked for begins, and when an open
connection is probed. It is watched while a client is not idle or closed.
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
    """The environment of one client.

    Args:
        platform: What the platform offers.
        rng: The source of the jitter.
        on_due: Called with the id of the attempt whose wait is over, and the cause.
        probe: Probes an open connection, with `after_gap=True` if time may have passed
            without any code running.
        report: Reports an event.

    Attributes:
        retry_timer: The wait for the next attempt.
    """

    __slots__ = ("_events", "_platform", "_probe", "_report", "retry_timer")

    def __init__(
        self,
        platform: Platform,
        rng: Random,
        *,
        on_due: Callable[[int, Cause], None],
        probe: Callable[..., None],
        report: Callable[..., None],
    ) -> None:
        self.retry_timer = RetryTimer(on_due, rng)
        self._platform = platform
        self._probe = probe
        self._report = report
        self._events: EnvironmentEvents | None = None

    def start(self) -> None:
        """Start to watch. Idempotent: each attempt calls it."""
        # One watch of the clock serves all clients of a loop. A timer per client would
        # wake a process with ten thousand of them all the time.
        platform = self._platform
        get_clock_watch(platform.clock, platform.timer_slack).start(self._on_clock_jump)
        if self._events is None and self._platform.environment_events is not None:
            self._events = self._platform.environment_events()
            self._events.start(self._on_event)
            # No `offline` event comes for a network that was gone before. The attempt
            # that was asked for is made all the same: the browser may be wrong.
            if self._events.is_offline:
                self.retry_timer.hold("offline")

    def stop(self) -> None:
        """Stop watching, cancel the wait and free all listeners. Idempotent."""
        platform = self._platform
        get_clock_watch(platform.clock, platform.timer_slack).stop(self._on_clock_jump)
        self.retry_timer.reset()
        # In a page each listener is a proxy that JavaScript holds. A client that stays
        # Closed for hours, or is forgotten, must not keep any.
        environment_events, self._events = self._events, None
        if environment_events is not None:
            environment_events.stop()

    def _on_event(self, event: EnvironmentEvent) -> None:
        self._report("environment_changed", event=event)
        effect = ENVIRONMENT_EVENTS[event]
        if effect.hold is not None:
            self.retry_timer.hold(effect.hold)
        if effect.release is not None and effect.cause is not None:
            self.retry_timer.release(effect.release, effect.cause)
        if effect.probe:
            self._probe(after_gap=effect.gap)

    def _on_clock_jump(self, seconds: float) -> None:
        """Probe and retry now: the machine slept, or the page was frozen."""
        # `loop.time()` stands still while a machine sleeps (CLOCK_MONOTONIC on Linux),
        # so neither the keepalive nor the wait for a retry has noticed anything.
        self._report("clock_jumped", seconds=seconds)
        self._probe(after_gap=True)
        self.retry_timer.fire()
