"""The page about the lifecycle says what the code does."""

import sys

import pytest

from ws_common.machine import TABLE

if sys.platform == "emscripten":
    pytest.skip("the docs are not in a browser", allow_module_level=True)

from tools import diagram
from tools.common import ToolError

PAGE = diagram.PAGE.read_text(encoding="utf-8")


def test_page_is_current():
    """Whoever changes the table, a cause or an event runs `python -m tools.diagram`."""
    assert diagram.render(PAGE) == PAGE


def test_every_edge_is_drawn():
    """The diagram has an arrow for each declared target, and no other."""
    arrows = {
        (source.value.capitalize(), target.value.capitalize())
        for (source, _), edge in TABLE.items()
        for target in edge.targets
    }
    drawn = {
        tuple(line.split(":")[0].split(" --> "))
        for line in map(str.strip, diagram.diagram().splitlines())
        if "-->" in line and "[*]" not in line
    }

    assert arrows == drawn


def test_change_is_noticed():
    """What was edited by hand between the markers does not stay."""
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

    with pytest.raises(ToolError, match="does not explain: heartbeat_missed"):
        diagram.events()


def test_stale_event_is_named(monkeypatch):
    """An event that nothing reports any more leaves the page."""
    monkeypatch.setattr(diagram, "EVENTS", {**diagram.EVENTS, "gone": "No more."})

    with pytest.raises(ToolError, match="explains what is not used: gone"):
        diagram.events()
