"""What a platform would hear of the network and the page; the test says it."""

from collections.abc import Callable

from ws_common.vocabulary.environment_events import EnvironmentEvent, EnvironmentEvents


class FakeEnvironment:
    """One platform's.

    Attributes:
        is_offline: Whether it is known that there is no network.
        say: `say("offline")` plays a signal; None while nobody listens.
        starts: How often somebody began to listen.
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
