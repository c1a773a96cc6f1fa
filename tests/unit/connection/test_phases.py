"""The phase of a connection is kept in its table alone.

Booleans, or fields that may be None, that remember beside the table what phase a
connection is in come to disagree with it: that happened here before there were tables.
This test reads the source. Every such attribute is listed below with the reason why it
is no phase. If you add one, list it here, or put it into a table.
"""

import ast
import sys

import pytest

if sys.platform == "emscripten":
    pytest.skip("the source is not in a browser", allow_module_level=True)

from tests.support.attributes import (
    assignments,
    attributes_of,
    booleans,
    classes,
    decided_by_none,
    optionals,
    parse,
)
from tools.common import ROOT

SOURCE = ROOT / "src"
COMMON = SOURCE / "ws_common"

NOT_A_PHASE = {
    # Something that may be there or not, while the phase is the same
    "ClockWatch._timer": "a timer that may run",
    "Attempt._timer": "a timer that may run",
    "Connection._deadline": "a timer that may run",
    "Connection._keepalive": "an option; without it, made for a probe",
    "Connection._over": "made for whoever waits for the end; the table knows of it",
    "Keepalive._ping_timer": "a timer that may run",
    "Keepalive._check_timer": "a timer that may run",
    "Connections._attempt": "the task of the last attempt, to be cancelled",
    "Supervisor._stable_timer": "a timer that may run",
    "Sessions._feeds": "most of the time nobody iterates over sessions",
    "Connections.live": "the last one; the table says whether it is live",
    "Environment._events": "only some platforms have them",
    "RetryTimer._timer": "a timer that may run; while the wait is held it does not",
    # Something that is known or not
    "PendingCalls._finished": "whom to answer; most of the time nobody waits",
    "JsTransport._failure": "what to report at the end, instead of what comes",
    "Keepalive._unanswered": "when a message went that has no reply yet",
    "Connections.target": "the URL of the last connect(), or what makes it",
    "RetryTimer._attempt": "what to report when the wait is over",
    "RetryTimer._last_release": "what shortens a wait that begins soon after it",
    "LateDelivery._error": "what to report once, of what was left out",
    "FrameParser.close": "what to report, found in a frame; the first one counts",
    # What is so from the beginning
    "Proxy.password": "a part of a URL",
    "Proxy.username": "a part of a URL",
    "ExtractedFrames.closes": "what was found in some bytes",
    "Keepalive._has_heartbeat": "an option: whether there is a heartbeat",
    "Keepalive.inspects_messages": "an option of the heartbeat",
}
"""An attribute -> the reason why it is no phase."""


def modules():
    tables = {COMMON / "connection" / "connection_table.py"}
    yield from sorted({*(COMMON / "connection").glob("*.py")} - tables)
    yield from sorted((COMMON / "runtime").glob("*.py"))
    yield COMMON / "vocabulary" / "clock_watch.py"
    yield from sorted((SOURCE / "ws_vm").glob("*.py"))
    yield SOURCE / "ws_js" / "transport.py"


TREES = [parse(path) for path in modules()]


def looks_like_phases(trees: list[ast.Module]) -> set[str]:
    """Return the attributes that could stand for a phase."""
    asked = decided_by_none(trees)
    return {
        f"{cls.name}.{name}"
        for cls in classes(trees)
        for name in booleans(cls) | (optionals(cls) & asked)
    }


def test_no_phase_outside_of_the_tables():
    """Each boolean, and each field that is compared with None, has a reason."""
    assert set() == looks_like_phases(TREES) - NOT_A_PHASE.keys()


def test_no_reason_is_left_over():
    """An attribute that is no longer in the source is no longer listed."""
    assert set() == NOT_A_PHASE.keys() - looks_like_phases(TREES)


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("self.x = False", ""),
        ("self.x: bool = given", ""),
        ("self.x = flag", ""),
        ("self.x = given is not None", ""),
        ("self.y, self.x = 0, True", ""),
        ("self.y = self.x = True", ""),
        ("self.x: int | None = 0", "self.x is None"),
        ("self.x: 'int | None' = 0", "None is not self.x"),
        ("self.x = None", "not self.x"),
        ("self.x = maybe", "1 if self.x else 2"),
        ("self.x = None", "self.x and 1"),
        ("self.x = None", "(y := self.x) is None"),
        ("self.x = None", "[y for y in () if self.x]"),
    ],
)
def test_attributes_are_recognized(line, asked):
    """A boolean or a field that may be None is found, however it is written."""
    source = f"""
class C:
    def __init__(self, given, flag: bool, maybe: int | None):
        {line}

    def decide(self):
        {asked or "pass"}
"""

    assert "C.x" in looks_like_phases([ast.parse(source)])


@pytest.mark.parametrize(
    "decides",
    [
        "x = c.x\n    if x: pass",
        "while c.x: pass",
        "match c.x:\n        case None: pass",
    ],
)
def test_decisions_are_recognized_elsewhere(decides):
    """A test in another module is found, also through a local variable."""
    source = f"class C:\n    x: int | None = None\ndef f(c):\n    {decides}\n"

    assert {"C.x"} == looks_like_phases([ast.parse(source)])


def test_what_is_asked_by_nobody_is_no_phase():
    """A field that may be None is no phase if no decision depends on it."""
    source = "class C:\n    x: int | None = None\n    def f(self): return self.x\n"

    assert set() == looks_like_phases([ast.parse(source)])


# ── Routing ─────────────────────────────────────────────────────────────────

ROUTED = {
    "Broadcast",
    "Connection",
    "Incoming",
    "InterceptorQueue",
    "ReceivePipeline",
}
"""The classes that messages pass through."""

STATE = {
    "Broadcast._buffers": "the subscribers, who come and go",
    "Broadcast._keeps": "whether there has been a subscriber",
    "Broadcast.ended": "the end that readers meet",
    "Broadcast.kept": "the buffer that the first subscriber takes over",
    "Broadcast.listeners": "tasks that are kept from being collected",
    "Connection._deadline": "a timer",
    "Connection._keepalive": "made when the connection opens",
    "Connection._over": "made when somebody waits for the end",
    "Connection.opened_at": "a time",
    "Connection.transport": "comes with `attach()`: what is sent goes there",
    "Connection.url": "comes with `attach()`",
    "Incoming._unreported": "a count",
    "Incoming._ended": "whether the connection has ended: what is counted is told",
    "Incoming.stage": "what becomes of the messages: held, delivered, discarded",
    "InterceptorQueue.full": "whether the queue asks for a pause",
    "InterceptorQueue._queue_size": "a count",
    "InterceptorQueue._source": "whose message is with an interceptor",
    "InterceptorQueue._pending": "what the task awaits next",
    "InterceptorQueue._task": "works off the queue, and ends",
}
"""An attribute -> why it may be assigned after `__init__`: it routes no messages."""

EVERYTHING = {path.stem: parse(path) for path in sorted(COMMON.rglob("*.py"))}


def routes():
    """Yield the attributes of the classes through which messages pass."""
    for cls in classes(EVERYTHING.values()):
        if cls.name in ROUTED:
            yield from (f"{cls.name}.{name}" for name in attributes_of(cls))


def reassigned():
    """Yield those that their own class assigns outside of `__init__`."""
    for tree in EVERYTHING.values():
        for one in assignments(tree):
            inside = one.target == "self" and one.owner in ROUTED
            if inside and one.method != "__init__":
                yield f"{one.owner}.{one.name}"


def assigned_from_outside():
    """Yield those that another class assigns."""
    names = {route.partition(".")[2] for route in routes()}
    for module, tree in EVERYTHING.items():
        for one in assignments(tree):
            if one.target != "self" and one.name in names and one.method != "__init__":
                yield module, f"{one.target}.{one.name}"


def test_routes_are_laid_in_init():
    """The path of messages is fixed before the first one arrives."""
    assert STATE.keys() == set(reassigned())


def test_nobody_else_changes_a_route():
    """No other class changes the path of messages, either."""
    assert set() == set(assigned_from_outside())


def test_there_are_routes():
    """Most attributes of those classes are never assigned again."""
    fixed = set(routes()) - STATE.keys()

    assert {
        *("Connection.incoming", "Incoming._chain", "Incoming._pipeline"),
        *("Incoming.held", "ReceivePipeline.handlers", "ReceivePipeline.messages"),
        *("Broadcast.on_drop", "Broadcast.on_watermark"),
    } <= fixed


# ── Size ────────────────────────────────────────────────────────────────────

BIG = [
    ("connection", "Connection"),
    ("connections", "Connections"),
    ("supervisor", "Supervisor"),
]


@pytest.mark.parametrize(("module", "name"), BIG)
def test_attributes_are_few(module, name):
    """A class that needs more than 20 attributes has two subjects."""
    (cls,) = (one for one in classes([EVERYTHING[module]]) if one.name == name)
    later = {
        one.name
        for one in assignments(EVERYTHING[module])
        if one.target == "self" and one.owner == name
    }

    assert len(attributes_of(cls) | later) <= 20


@pytest.mark.parametrize(("module", "name"), BIG)
def test_lines_are_few(module, name):
    """A class and its private helpers are short enough to be read at once."""
    (path,) = COMMON.rglob(f"{module}.py")
    text = path.read_text(encoding="utf-8")
    first_line = next(
        node.lineno
        for node in EVERYTHING[module].body[1:]
        if not isinstance(node, ast.Import | ast.ImportFrom)
    )

    assert len(text.splitlines()) - first_line < 350, name
