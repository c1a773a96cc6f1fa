"""Draws the lifecycle into docs/lifecycle.md from the code: `python -m tools.diagram`.

The diagrams come from the two tables, of a client and of one connection, with what
their commands do; the causes from `causes.py`, the events from every place that
reports one. A test holds the page current.
"""

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from types import MappingProxyType
from typing import Any, get_args

from tools.common import ROOT, ToolError, guarded, say
from ws_common.connection import connection_table as connection_machine
from ws_common.lifecycle import client_state as lifecycle
from ws_common.lifecycle import client_table as machine
from ws_common.lifecycle.client_state import ClientState, Phase
from ws_common.lifecycle.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
    Reconnecting,
)
from ws_common.vocabulary.causes import MEANINGS, Cause

PAGE = ROOT / "docs" / "lifecycle.md"
SOURCE = ROOT / "src"

REPORTING = frozenset(
    {"note", "_note", "report_error", "report", "_report", "_on_fault", "_emit"}
)
"""Functions whose first argument is the name of an event."""

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "attempt_failed": "An attempt to connect failed.",
        "clock_jumped": "The wall clock ran ahead: the machine slept, or the page "
        "was frozen. The connection is probed; a wait for a retry is over.",
        "close_code_replaced": "`close()` was given what may not be sent; 1000 was.",
        "heartbeat_failed": "A ping could not be sent, or making one raised.",
        "heartbeat_missed": "No sign of life came in time; the connection is aborted.",
        "interceptor_raised": "An interceptor raised; that message was not delivered.",
        "is_reply_raised": "`heartbeat.is_reply` raised; the message was delivered.",
        "listener_overflowed": 'A listener whose overflow is "error" did not keep '
        "up: it has ended.",
        "listener_raised": "A callback given to `listen()` raised; the next item comes "
        "all the same.",
        "message_dropped": "An overflow or its age dropped a message.",
        "messages_discarded": "What came, or waited, when we closed a connection; "
        "what came, or was left unread, when the last subscriber had gone.",
        "message_skipped": "A message could not be decoded and was left out. The "
        "first in a minute is logged as a warning.",
        "messages_unconfirmed": "A connection was lost; so many messages may not have "
        "arrived.",
        "retry_if_raised": "`retry_if` raised or answered nonsense; the default "
        "decision holds.",
        "environment_changed": "The page or the network changed: `offline`, `online`, "
        "`page_cached` (in the back/forward cache), `page_shown`, `page_frozen`, "
        "`page_resumed`, `page_visible`. In a browser alone.",
        "state_changed": "The state has changed.",
        "subscriber_stuck": "A subscriber has held the socket for 5 s without reading.",
    }
)
"""What each event means."""

_CALLS: Mapping[str, str] = MappingProxyType(
    {
        "ConnectAsked": "connect()",
        "ReconnectAsked": "reconnect()",
        "DisconnectAsked": "disconnect()",
        "CloseAsked": "close()",
        "AbortAsked": "cancelled",
    }
)
"""What people know some events of the client by."""

SHOWN = (
    Connecting("ws://anywhere/", 1),
    Open("ws://anywhere/", None, 1),
    Disconnecting(1000, ""),
    Reconnecting(2, 1.0, datetime(2030, 1, 1, tzinfo=UTC), None, None, None),
    Closed(1000, ""),
)
"""One of each state that a client shows."""


def client_diagram() -> str:
    """The client's table as a Mermaid state diagram."""
    return _diagram(machine.TABLE, Phase.NEW, [Phase.FINISHED], _CALLS)


def connection_diagram() -> str:
    """The table of one connection as a Mermaid state diagram."""
    phase = connection_machine.Phase
    ends = [phase.CLOSED, phase.ABANDONED]
    return _diagram(connection_machine.TABLE, phase.CONNECTING, ends, {})


def states() -> str:
    """What each state brings about, as a table."""
    new = ClientState()
    brought = {
        f"`{type(public_state).__name__}`": machine.commands_of_change(
            new, new._replace(public_state=public_state)
        )
        for public_state in SHOWN
    }
    alike = {lifecycle.FailSends, *map(type, brought["`Closed`"])}
    _, commands = machine.step(new, lifecycle.CloseAsked())
    besides = tuple(one for one in commands if type(one) not in alike)
    brought["`Closed` permanently"] = besides
    lines = [
        f"| {state} | {', '.join(f'`{type(one).__name__}`' for one in commands)} |"
        for state, commands in brought.items()
    ]
    return "\n".join(["| state | commands |", "|---|---|", *lines])


def client_commands() -> str:
    """The commands of the client's table, and what they do."""
    return _explained("command", "what it does", get_args(lifecycle.Command))


def connection_events() -> str:
    """The words in the diagram of a connection, and what they stand for."""
    kinds = get_args(connection_machine.Event)
    return _explained("in the diagram", "what has happened", kinds, _words)


def connection_commands() -> str:
    """The commands of a connection's table, and what they do."""
    kinds = get_args(connection_machine.Command)
    return _explained("command", "what it does", kinds)


def causes() -> str:
    """The causes as a table."""
    lines = [f"| `{name}` | {MEANINGS[name]} |" for name in get_args(Cause)]
    return "\n".join(["| cause | the state changed because |", "|---|---|", *lines])


def events() -> str:
    """The events as a table.

    Raises:
        ToolError: An event is reported that is not explained, or the reverse.
    """
    details: dict[str, set[str]] = {}
    for name, facts in reported():
        details.setdefault(name, set()).update(facts)
    _must_match(EVENTS, details)
    lines = [
        f"| `{name}` | {', '.join(f'`{fact}`' for fact in sorted(details[name]))} "
        f"| {EVENTS[name]} |"
        for name in sorted(details)
    ]
    return "\n".join(["| event | details | when |", "|---|---|---|", *lines])


def reported() -> Iterator[tuple[str, set[str]]]:
    """Every place in the source that reports an event: its name, and the facts."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or _called(node) not in REPORTING:
                continue
            match node.args:
                case [ast.Constant(value=str(name)), *rest]:
                    yield name, _facts(node, rest)


def render(page: str) -> str:
    """The page, with what stands between its markers drawn anew.

    Raises:
        ToolError: A marker is missing.
    """
    parts = {
        "diagram": client_diagram(),
        "states": states(),
        "commands": client_commands(),
        "causes": causes(),
        "events": events(),
        "connection": connection_diagram(),
        "connection events": connection_events(),
        "connection commands": connection_commands(),
    }
    for name, text in parts.items():
        begin, end = f"<!-- {name}: drawn by tools/diagram.py -->", f"<!-- /{name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if len(pattern.findall(page)) != 1:
            raise ToolError(f"{PAGE.name} needs one pair of markers {begin} {end}")
        before, after = pattern.split(page)
        page = f"{before}{begin}\n{text}\n{end}{after}"
    return page


def main() -> int:
    """Draw the page anew."""
    page = PAGE.read_text(encoding="utf-8")
    drawn = render(page)
    PAGE.write_text(drawn, encoding="utf-8")
    say(f"{PAGE.name} {'was current' if drawn == page else 'was drawn anew'}")
    return 0


def _diagram(
    table: Mapping[tuple[Any, type], Any],
    first: Enum,
    last: Sequence[Enum],
    names: Mapping[str, str],
) -> str:
    labels: dict[tuple[Enum, Enum], list[str]] = {}
    for (source, kind), edge in table.items():
        label = names.get(kind.__name__, _words(kind))
        for target in edge.targets:
            labels.setdefault((source, target), []).append(label)
    order = {phase: number for number, phase in enumerate(type(first))}
    arrows = sorted(labels, key=lambda pair: (order[pair[0]], order[pair[1]]))
    lines = ["stateDiagram-v2", f"    [*] --> {_node(first)}"]
    lines += [
        f"    {_node(source)} --> {_node(target)}: "
        + ", ".join(sorted(labels[source, target]))
        for source, target in arrows
    ]
    lines += [f"    {_node(phase)} --> [*]" for phase in last]
    return "\n".join(["```mermaid", *lines, "```"])


def _node(phase: Enum) -> str:
    return str(phase.value).capitalize()


def _words(kind: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__).lower()


def _code(kind: type) -> str:
    return f"`{kind.__name__}`"


def _explained(
    head: str,
    meaning: str,
    kinds: Iterable[type],
    name: Callable[[type], str] = _code,
) -> str:
    lines = [f"| {name(kind)} | {_docstring(kind)} |" for kind in kinds]
    return "\n".join([f"| {head} | {meaning} |", "|---|---|", *lines])


def _docstring(kind: type) -> str:
    """The first paragraph, in one line.

    Raises:
        ToolError: There is none. (Python gives named tuples one like a call.)
    """
    text = inspect.getdoc(kind) or ""
    if not text or text.startswith(f"{kind.__name__}("):
        raise ToolError(f"{kind.__module__}.{kind.__name__} has no docstring")
    return " ".join(text.split("\n\n")[0].split())


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _facts(call: ast.Call, rest: list[ast.expr]) -> set[str]:
    facts = {keyword.arg for keyword in call.keywords if keyword.arg}
    match rest:
        case [ast.Dict(keys=keys)]:
            facts |= {str(key.value) for key in keys if isinstance(key, ast.Constant)}
        case [_]:
            facts.add("error")
        case _:
            pass
    return facts


def _must_match(explained: Iterable[str], used: Iterable[str]) -> None:
    here = "EVENTS in tools/diagram.py"
    if missing := sorted(set(used) - set(explained)):
        raise ToolError(f"{here} does not explain: {', '.join(missing)}")
    if stale := sorted(set(explained) - set(used)):
        raise ToolError(f"{here} explains what is not used: {', '.join(stale)}")


if __name__ == "__main__":
    sys.exit(guarded(main))
