"""The kind of table that both state machines use, and the driver that feeds them.

The driver feeds one event after another, and has all the commands of one event carried
out before it feeds the next.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Generic, NamedTuple, TypeVar

Action = TypeVar("Action", bound=Callable[[Any, Any], Any])
State = TypeVar("State")


class Edge(NamedTuple):
    """What an event does in a phase.

    Attributes:
        targets: The phases that it may lead to. Tests and the diagram use them.
        action: (state, event) -> (state, commands).
    """

    targets: tuple[Any, ...]
    action: Callable[[Any, Any], Any]


class Table(dict[tuple[Any, type], Edge]):
    """(phase, kind of event) -> what the event does there."""

    def edge(
        self, *kinds: type, at: tuple[Enum, ...], to: tuple[Enum, ...] = ()
    ) -> Callable[[Action], Action]:
        """Register an action: (state, event) -> (state, commands).

        Args:
            kinds: The kinds of event.
            at: The phases in which the action is taken.
            to: The phases that it may lead to. Empty if the phase stays as it is.

        Returns:
            A decorator that leaves the action as it is.
        """

        def register(action: Action) -> Action:
            for phase in at:
                for kind in kinds:
                    self[phase, kind] = Edge(to or (phase,), action)
            return action

        return register


class MachineDriver(Generic[State]):
    """Feeds events to a state machine and has its commands carried out.

    Args:
        state: The first state.
        step: The state machine: (state, event) -> (state, commands).
        carry_out: Called with each command, and with the context of the event.

    Attributes:
        state: The state after the last event.
    """

    __slots__ = ("_carry_out", "_events", "_step", "state")

    def __init__(
        self,
        state: State,
        step: Callable[[State, Any], tuple[State, Sequence[Any]]],
        carry_out: Callable[[Any, Any], None],
    ) -> None:
        self.state = state
        self._step = step
        self._carry_out = carry_out
        self._events: list[tuple[Any, Any]] = []

    @property
    def is_busy(self) -> bool:
        """Whether the commands of an event are being carried out right now."""
        return bool(self._events)

    def feed(self, event: Any, context: Any = None) -> None:
        """Advance the state machine. Events that this causes wait for their turn.

        Args:
            event: The event.
            context: Passed to `carry_out` with each command of this event.

        Raises:
            BaseException: The first error that a command raised. It is raised when
                all commands have been carried out.
        """
        # Commands call user code (`on_event`) and transports, which may call back into
        # the client in the same call: `close()` from `on_event` is common. A nested
        # step would carry out its commands in the middle of those of the outer event.
        events = self._events
        events.append((event, context))
        if len(events) > 1:
            return  # a nested call: the loop of the outer call comes to this event
        failures: list[BaseException] = []
        while events:
            try:
                self._advance(*events[0], failures)
            finally:
                # The event stays in the list while it is worked off, which is how
                # nested calls are recognized. If `step` raises it has to go all the
                # same, or every later call would be taken for a nested one.
                del events[0]
        if failures:
            raise failures[0]

    def feed_at_once(self, event: Any) -> None:
        """Advance the state machine at once, ahead of the events that wait.

        This is for events that cannot wait and do not depend on the order, such as
        pausing and resuming the reading of a socket.

        Args:
            event: The event. Its commands get None as the context.

        Raises:
            BaseException: The first error that a command raised.
        """
        failures: list[BaseException] = []
        self._advance(event, None, failures)
        if failures:
            raise failures[0]

    def _advance(self, event: Any, context: Any, failures: list[BaseException]) -> None:
        self.state, commands = self._step(self.state, event)
        for command in commands:
            # A command that raises does not keep the rest from being carried out: the
            # state has changed already, and would say something that is not true. A
            # KeyboardInterrupt out of `on_event` would leave a client Connecting
            # without an attempt.
            try:
                self._carry_out(command, context)
            except BaseException as error:  # noqa: BLE001 - the caller raises it
                failures.append(error)
