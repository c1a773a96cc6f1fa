"""What the pure machines share: their kind of table, and what drives them.

The driver feeds one event after the other, and has all done that each one asks for.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Generic, NamedTuple, TypeVar

Action = TypeVar("Action", bound=Callable[[Any, Any], Any])
State = TypeVar("State")


class Edge(NamedTuple):
    """Where an event may lead from a phase, and how."""

    targets: tuple[Any, ...]
    action: Callable[[Any, Any], Any]


class Table(dict[tuple[Any, type], Edge]):
    """(phase, kind of event) -> where it may lead."""

    def edge(
        self, *kinds: type, at: tuple[Enum, ...], to: tuple[Enum, ...] = ()
    ) -> Callable[[Action], Action]:
        """Register an action: (state, event) -> (state, commands).

        Args:
            kinds: The kinds of event.
            at: The phases in which it is taken.
            to: The phases that it may lead to; empty: none but where it is taken.
        """

        def register(action: Action) -> Action:
            for phase in at:
                for kind in kinds:
                    self[phase, kind] = Edge(to or (phase,), action)
            return action

        return register


class MachineDriver(Generic[State]):
    """Feeds events to a machine and has its commands carried out.

    Args:
        state: What the machine starts in.
        step: The machine: (state, event) -> (state, commands).
        carry_out: Carries out one command; `context` is what came with the event.

    Attributes:
        state: What the machine knows.
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
        """Whether an event is being worked off: who asks is called by a command."""
        return bool(self._events)

    def feed(self, event: Any, context: Any = None) -> None:
        """Advance the machine; events that this brings about wait for their turn.

        A command that raises does not keep the others from being carried out: what
        the state says would not be true otherwise. The first error is raised when
        all is done.
        """
        events = self._events
        events.append((event, context))
        if len(events) > 1:
            return  # fed from inside: the loop below comes to it
        failures: list[BaseException] = []
        while events:
            try:
                self._advance(*events[0], failures)
            finally:
                del events[0]  # or a table that raises would stop all that follows
        if failures:
            raise failures[0]

    def feed_at_once(self, event: Any) -> None:
        """Advance the machine in front of what waits, also from inside a command.

        For what cannot wait and does not depend on the order: whether to read on.
        """
        failures: list[BaseException] = []
        self._advance(event, None, failures)
        if failures:
            raise failures[0]

    def _advance(self, event: Any, context: Any, failures: list[BaseException]) -> None:
        self.state, commands = self._step(self.state, event)
        for command in commands:
            try:
                self._carry_out(command, context)
            except BaseException as error:  # noqa: BLE001 - the caller raises it
                failures.append(error)
