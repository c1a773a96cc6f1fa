"""Events are handled one after another, with all their commands."""

import pytest

from ws_common.lifecycle.state_machine import MachineDriver


class Interrupt(BaseException):
    """Stands for a `KeyboardInterrupt`, which would stop the tests."""


class Machine:
    """Counts its events; each has as commands what it is made of.

    Attributes:
        done: The commands, in the order in which they were carried out.
    """

    def __init__(self):
        self.done = []
        self.inside = {}
        self.driver = MachineDriver(0, self.step, self.carry_out)

    def step(self, state, event):
        return state + 1, event.split()

    def carry_out(self, command, context):
        self.done.append((command, context))
        if command in self.inside:
            self.inside.pop(command)()

    @property
    def names(self):
        return [command for command, _ in self.done]


def test_commands_come_with_the_context_of_their_event():
    """All commands of an event get its context, and no others do."""
    machine = Machine()

    machine.driver.feed("a b", "first")
    machine.driver.feed("c")

    assert [("a", "first"), ("b", "first"), ("c", None)] == machine.done
    assert 2 == machine.driver.state


def test_events_from_inside_wait_for_their_turn():
    """They are handled in the order in which they came, each with its context."""
    machine = Machine()

    def feed_two():
        machine.driver.feed("c d", "second")
        machine.driver.feed("e", "third")
        assert 1 == machine.driver.state, "the machine has not seen them yet"

    machine.inside = {"a": feed_two, "c": lambda: machine.driver.feed("f", "fourth")}
    machine.driver.feed("a b", "first")

    assert ["a", "b", "c", "d", "e", "f"] == machine.names
    assert ["first", "first", "second", "second", "third", "fourth"] == [
        context for _, context in machine.done
    ]


def test_at_once_means_in_front_of_what_waits():
    """Its commands come before the rest of those of the event in progress."""
    machine = Machine()

    def feed_both():
        machine.driver.feed("late")
        machine.driver.feed_at_once("now too")

    machine.inside = {"a": feed_both}
    machine.driver.feed("a b")

    assert ["a", "now", "too", "b", "late"] == machine.names


def fail(error):
    def raise_it():
        raise error

    return raise_it


def test_a_command_that_raises_stops_no_other():
    """Everything is carried out, later events too; then the first error is raised."""
    machine = Machine()
    first, second = KeyError("first"), Interrupt("second")

    def feed_and_fail():
        machine.driver.feed("c d")
        raise first

    machine.inside = {"a": feed_and_fail, "c": fail(second)}
    with pytest.raises(KeyError) as raised:
        machine.driver.feed("a b")

    assert first is raised.value
    assert ["a", "b", "c", "d"] == machine.names


def test_an_interrupt_is_not_lost():
    """A BaseException is raised as well, and the driver can go on."""
    machine = Machine()
    machine.inside = {"a": fail(Interrupt())}

    with pytest.raises(Interrupt):
        machine.driver.feed("a b")
    machine.driver.feed("c")

    assert ["a", "b", "c"] == machine.names


def test_at_once_raises_to_whoever_fed_it():
    """The event in progress goes on, and does not raise that error."""
    machine = Machine()

    def feed_at_once():
        with pytest.raises(KeyError, match="now"):
            machine.driver.feed_at_once("now too")

    machine.inside = {"a": feed_at_once, "now": fail(KeyError("now"))}
    machine.driver.feed("a b")

    assert ["a", "now", "too", "b"] == machine.names
