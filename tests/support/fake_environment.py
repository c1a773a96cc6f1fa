"""A fake source of the events of the network and the page, which a test triggers."""

from collections.abc import Callable

from ws_common.vocabulary.environment_events import EnvironmentEvent, EnvironmentEvents


class FakeEnvironment:
    """The source of events of a platform.

    Attributes:
        is_offline: Whether the platform knows that there is no network.
        say: Triggers an event, as in `say("offline")`; None while nobody listens.
        starts: The number of calls of `start()`.
    """

    def __init__(self) -> None:
        self.is_offline = False
        self.say: Callable[[EnvironmentEvent], None] | None = None
        self.starts = 0

    def start(self, on_event: Callable[[EnvironmentEvent], None]) -> None:
        self.starts += 1
        self.say = on_event

    def stop(self) -> None:
        self.say = None


def _conforms(environment_events: FakeEnvironment) -> EnvironmentEvents:
    return environment_events
