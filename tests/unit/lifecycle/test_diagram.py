"""The page about the lifecycle says what the code does."""

import re
import sys
from typing import NamedTuple

import pytest

from tests.support.client_model import lost, state_in
from ws_common.connection import connection_table as connection_machine
from ws_common.lifecycle import client_state as lifecycle
from ws_common.lifecycle import client_table as machine

if sys.platform == "emscripten":
    pytest.skip("the docs are not in a browser", allow_module_level=True)

from tools import diagram
from tools.common import ToolError

PAGE = diagram.PAGE.read_text(encoding="utf-8")


def test_page_is_current():
    """After changing a table, a cause or an event, run `python -m tools.diagram`."""
    assert diagram.render(PAGE) == PAGE


def arrows(text):
    """The arrows of a diagram, except those that mark its beginning and its ends."""
    return {
        tuple(line.split(":")[0].split(" --> "))
        for line in map(str.strip, text.splitlines())
        if "-->" in line and "[*]" not in line
    }


@pytest.mark.parametrize(
    ("table", "drawn"),
    [
        (machine.TABLE, diagram.draw_client_diagram),
        (connection_machine.TABLE, diagram.draw_connection_diagram),
    ],
)
def test_every_edge_is_drawn(table, drawn):
    """The diagram has an arrow for each declared target, and no other."""
    declared = {
        (source.value.capitalize(), target.value.capitalize())
        for (source, _), edge in table.items()
        for target in edge.targets
    }

    assert declared == arrows(drawn())


@pytest.mark.parametrize(
    ("begin", "end", "drawn"),
    [
        ("New", ["Finished"], diagram.draw_client_diagram),
        ("Connecting", ["Closed", "Abandoned"], diagram.draw_connection_diagram),
    ],
)
def test_beginning_and_ends_are_drawn(begin, end, drawn):
    """People see where to begin to read."""
    marked = [line.strip() for line in drawn().splitlines() if "[*]" in line]

    assert [f"[*] --> {begin}", *(f"{one} --> [*]" for one in end)] == marked


def rows(text):
    """The cells of a table, row by row, without the head."""
    lines = text.splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def kinds(union):
    return [f"`{kind.__name__}`" for kind in union.__args__]


@pytest.mark.parametrize(
    ("union", "drawn"),
    [
        (lifecycle.Command, diagram.tabulate_client_commands),
        (connection_machine.Command, diagram.tabulate_connection_commands),
    ],
)
def test_every_command_is_explained(union, drawn):
    """The explanation is the docstring of the command."""
    explained = rows(drawn())

    assert kinds(union) == [name for name, _ in explained]
    docstrings = [" ".join(kind.__doc__.split()) for kind in union.__args__]
    assert docstrings == [meaning for _, meaning in explained]


def test_every_word_at_an_arrow_of_a_connection_is_explained():
    """Each word of the diagram is explained in the table below it."""
    lines = diagram.draw_connection_diagram().splitlines()
    words = {
        word
        for line in lines
        if ": " in line
        for word in line.partition(": ")[2].split(", ")
    }

    assert words == {name for name, _ in rows(diagram.tabulate_connection_events())}


CONNECT = lifecycle.ConnectAsked(url="ws://host/")
STOP = lifecycle.DisconnectAsked()


@pytest.mark.parametrize(
    ("state", "phase", "event", "besides"),
    [
        ("`Connecting`", "NEW", CONNECT, {"FailSends", "StartAttempt"}),
        ("`Open`", "CONNECTING", lifecycle.Opened(attempt=1), set()),
        (
            "`Disconnecting`",
            "OPEN",
            STOP,
            {"BeginClose", "DiscardReceived", "FailSends"},
        ),
        ("`Reconnecting`", "OPEN", lost(), {"CountEnd", "Wait"}),
        (
            "`Closed`",
            "RECONNECTING",
            STOP,
            {"StopWaiting", "DiscardReceived", "FailSends"},
        ),
        ("`Closed` permanently", "NEW", lifecycle.CloseAsked(), None),
    ],
)
def test_what_a_state_brings_about(state, phase, event, besides):
    """These are the commands of the table for each edge to that state, in order."""
    table = {
        name: re.findall(r"\w+", cell) for name, cell in rows(diagram.tabulate_states())
    }
    if besides is None:  # it is shown as any other `Closed`, with what that brings
        besides = {*table["`Closed`"], "FailSends"}

    _, commands = machine.step(state_in(lifecycle.Phase[phase]), event)
    names = [type(command).__name__ for command in commands]

    assert table[state] == [name for name in names if name not in besides]


def test_missing_docstring_is_named(monkeypatch):
    """A command without a docstring does not get an empty row."""

    class Undocumented(NamedTuple):
        attempt: int

    monkeypatch.setattr(lifecycle, "Command", lifecycle.Wait | Undocumented)

    with pytest.raises(ToolError, match="Undocumented has no docstring"):
        diagram.tabulate_client_commands()


def test_change_is_noticed():
    """An edit by hand between the markers is replaced."""
    edited = PAGE.replace("New --> Connecting", "New --> Open")
    assert edited != PAGE

    assert diagram.render(edited) == PAGE


def test_missing_marker_is_named():
    """A page without its markers is not silently left as it is."""
    with pytest.raises(ToolError, match=r"needs one pair of markers <!-- causes"):
        diagram.render(PAGE.replace("<!-- causes: drawn", "<!-- "))


def test_unexplained_event_is_named(monkeypatch):
    """A new event does not stay out of the page."""
    events = dict(diagram.EVENTS)
    del events["heartbeat_missed"]
    monkeypatch.setattr(diagram, "EVENTS", events)

    with pytest.raises(ToolError, match="does not describe: heartbeat_missed"):
        diagram.tabulate_events()


def test_stale_event_is_named(monkeypatch):
    """An event that nothing reports any more leaves the page."""
    monkeypatch.setattr(diagram, "EVENTS", {**diagram.EVENTS, "gone": "No more."})

    with pytest.raises(ToolError, match="describes what is never reported: gone"):
        diagram.tabulate_events()
