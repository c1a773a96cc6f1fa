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

from tools.common import ROOT, ToolError, print_line, run_main
from ws_common.connection import connection_table
from ws_common.lifecycle import client_state, client_table
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
    {"note", "_note", "fault", "report", "_report", "_on_fault", "_emit"}
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

_CALL_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "ConnectAsked": "connect()",
        "ReconnectAsked": "reconnect()",
        "DisconnectAsked": "disconnect()",
        "CloseAsked": "close()",
        "AbortAsked": "cancelled",
    }
)
"""What people know some events of the client by."""

EXAMPLE_STATES = (
    Connecting("ws://anywhere/", 1),
    Open("ws://anywhere/", None, 1),
    Disconnecting(1000, ""),
    Reconnecting(2, 1.0, datetime(2030, 1, 1, tzinfo=UTC), None, None, None),
    Closed(1000, ""),
)
"""One of each state that a client shows."""


def draw_client_diagram() -> str:
    """The client's table as a Mermaid state diagram."""
    return _draw(client_table.TABLE, Phase.NEW, [Phase.FINISHED], _CALL_LABELS)


def draw_connection_diagram() -> str:
    """The table of one connection as a Mermaid state diagram."""
    phase = connection_table.Phase
    ends = [phase.CLOSED, phase.ABANDONED]
    return _draw(connection_table.TABLE, phase.CONNECTING, ends, {})


def tabulate_states() -> str:
    """What each state brings about, as a table."""
    new = ClientState()
    commands_by_state = {
        f"`{type(public_state).__name__}`": client_table.commands_of_change(
            new, new._replace(public_state=public_state)
        )
        for public_state in EXAMPLE_STATES
    }
    shared = {client_state.FailSends, *map(type, commands_by_state["`Closed`"])}
    _, commands = client_table.step(new, client_state.CloseAsked())
    remaining = tuple(command for command in commands if type(command) not in shared)
    commands_by_state["`Closed` permanently"] = remaining
    lines = [
        f"| {state} | {', '.join(_quote_name(type(command)) for command in commands)} |"
        for state, commands in commands_by_state.items()
    ]
    return "\n".join(["| state | commands |", "|---|---|", *lines])


def tabulate_client_commands() -> str:
    """The commands of the client's table, and what they do."""
    return _tabulate_docstrings(
        "command", "what it does", get_args(client_state.Command)
    )


def tabulate_connection_events() -> str:
    """The words in the diagram of a connection, and what they stand for."""
    kinds = get_args(connection_table.Event)
    return _tabulate_docstrings(
        "in the diagram", "what has happened", kinds, _split_words
    )


def tabulate_connection_commands() -> str:
    """The commands of a connection's table, and what they do."""
    kinds = get_args(connection_table.Command)
    return _tabulate_docstrings("command", "what it does", kinds)


def tabulate_causes() -> str:
    """The causes as a table."""
    lines = [f"| `{name}` | {MEANINGS[name]} |" for name in get_args(Cause)]
    return "\n".join(["| cause | the state changed because |", "|---|---|", *lines])


def tabulate_events() -> str:
    """The events as a table.

    Raises:
        ToolError: An event is reported that is not explained, or the reverse.
    """
    details: dict[str, set[str]] = {}
    for name, detail_names in find_reports():
        details.setdefault(name, set()).update(detail_names)
    _check_explanations(EVENTS, details)
    lines = [
        f"| `{name}` | {', '.join(f'`{fact}`' for fact in sorted(details[name]))} "
        f"| {EVENTS[name]} |"
        for name in sorted(details)
    ]
    return "\n".join(["| event | details | when |", "|---|---|---|", *lines])


def find_reports() -> Iterator[tuple[str, set[str]]]:
    """Every place in the source that reports an event: its name, and the facts."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                not isinstance(node, ast.Call)
                or _get_called_name(node) not in REPORTING
            ):
                continue
            match node.args:
                case [ast.Constant(value=str(name)), *rest]:
                    yield name, _list_detail_names(node, rest)


def render(page: str) -> str:
    """The page, with what stands between its markers drawn anew.

    Raises:
        ToolError: A marker is missing.
    """
    parts = {
        "diagram": draw_client_diagram(),
        "states": tabulate_states(),
        "commands": tabulate_client_commands(),
        "causes": tabulate_causes(),
        "events": tabulate_events(),
        "connection": draw_connection_diagram(),
        "connection events": tabulate_connection_events(),
        "connection commands": tabulate_connection_commands(),
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
    print_line(f"{PAGE.name} {'was current' if drawn == page else 'was drawn anew'}")
    return 0


def _draw(
    table: Mapping[tuple[Any, type], Any],
    first: Enum,
    last: Sequence[Enum],
    names: Mapping[str, str],
) -> str:
    labels: dict[tuple[Enum, Enum], list[str]] = {}
    for (source, kind), edge in table.items():
        label = names.get(kind.__name__, _split_words(kind))
        for target in edge.targets:
            labels.setdefault((source, target), []).append(label)
    order = {phase: number for number, phase in enumerate(type(first))}
    arrows = sorted(labels, key=lambda pair: (order[pair[0]], order[pair[1]]))
    lines = ["stateDiagram-v2", f"    [*] --> {_name_node(first)}"]
    lines += [
        f"    {_name_node(source)} --> {_name_node(target)}: "
        + ", ".join(sorted(labels[source, target]))
        for source, target in arrows
    ]
    lines += [f"    {_name_node(phase)} --> [*]" for phase in last]
    return "\n".join(["```mermaid", *lines, "```"])


def _name_node(phase: Enum) -> str:
    return str(phase.value).capitalize()


def _split_words(kind: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__).lower()


def _quote_name(kind: type) -> str:
    return f"`{kind.__name__}`"


def _tabulate_docstrings(
    head: str,
    meaning: str,
    kinds: Iterable[type],
    name: Callable[[type], str] = _quote_name,
) -> str:
    lines = [f"| {name(kind)} | {_read_docstring(kind)} |" for kind in kinds]
    return "\n".join([f"| {head} | {meaning} |", "|---|---|", *lines])


def _read_docstring(kind: type) -> str:
    """The first paragraph, in one line.

    Raises:
        ToolError: There is none. (Python gives named tuples one like a call.)
    """
    text = inspect.getdoc(kind) or ""
    if not text or text.startswith(f"{kind.__name__}("):
        raise ToolError(f"{kind.__module__}.{kind.__name__} has no docstring")
    return " ".join(text.split("\n\n")[0].split())


def _get_called_name(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _list_detail_names(call: ast.Call, rest: list[ast.expr]) -> set[str]:
    names = {keyword.arg for keyword in call.keywords if keyword.arg}
    match rest:
        case [ast.Dict(keys=keys)]:
            names |= {str(key.value) for key in keys if isinstance(key, ast.Constant)}
        case [_]:
            names.add("error")
        case _:
            pass
    return names


def _check_explanations(explained: Iterable[str], used: Iterable[str]) -> None:
    here = "EVENTS in tools/diagram.py"
    if missing := sorted(set(used) - set(explained)):
        raise ToolError(f"{here} does not explain: {', '.join(missing)}")
    if stale := sorted(set(explained) - set(used)):
        raise ToolError(f"{here} explains what is not used: {', '.join(stale)}")


if __name__ == "__main__":
    sys.exit(run_main(main))
