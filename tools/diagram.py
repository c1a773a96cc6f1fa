"""Draw the lifecycle into docs/lifecycle.md from the code.

Run it with `python -m tools.diagram`.

The diagrams show the tables of a client and of one connection. The descriptions of
commands are their docstrings, the causes come from `causes.py`, and the events from all
calls in the source that report one. A test fails if the page is out of date.
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

from tools.common import ROOT, ToolError, run_main
from tools.drawn_pages import replace_parts, update
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
    {"note", "_note", "report_error", "report", "_report", "_on_fault", "_emit"}
)
"""Names of the functions whose first argument is the name of an event."""

# Written here and not in the source, since several places report the same event. The
# check in tabulate_events() fails if an event is missing here or is no longer reported.
EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "attempt_failed": "An attempt to connect has failed.",
        "clock_jumped": "The wall clock ran ahead of the event loop's clock, because "
        "the machine slept or the page was frozen. The client probes the connection, "
        "and a wait for the next attempt ends.",
        "close_code_replaced": "`close()` was called with a code or a reason that must "
        "not be sent. The client sends 1000 instead, without a reason.",
        "heartbeat_failed": "The client could not make or send a ping.",
        "heartbeat_missed": "The peer gave no sign of life in time. The client aborts "
        "the connection.",
        "interceptor_raised": "An interceptor raised an exception. The message is not "
        "passed on.",
        "is_reply_raised": "`heartbeat.is_reply` raised an exception. The message is "
        "delivered to the subscribers.",
        "listener_overflowed": 'A listener whose overflow is "error" did not keep up '
        "with its items. It has ended.",
        "listener_raised": "A callback of `listen()` raised an exception. It is still "
        "called with the next item.",
        "message_dropped": "A subscriber's buffer or the outbox has dropped messages, "
        "because it was full or because a message was too old.",
        "messages_discarded": "Nobody will receive these messages: they were waiting "
        "or arrived when the program closed the connection, or after the last "
        "subscriber had gone.",
        "message_skipped": "A stream could not decode a message and left it out. The "
        "first one in a minute is logged as a warning.",
        "messages_unconfirmed": "A connection was lost, and `count` messages that "
        "were sent may not have arrived.",
        "retry_if_raised": "`retry_if` raised an exception or returned an invalid "
        "value. The default decision applies.",
        "environment_changed": "The page or the network changed. `event` is "
        "`offline`, `online`, `page_cached` (the page is in the back/forward cache), "
        "`page_shown`, `page_frozen`, `page_resumed` or `page_visible`. Reported only "
        "in a browser.",
        "state_changed": "The state has changed.",
        "subscriber_stuck": "A subscriber has not read for 5 s, and the client has "
        "therefore stopped reading from the socket.",
    }
)
"""The description of each event."""

_CALL_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "ConnectAsked": "connect()",
        "ReconnectAsked": "reconnect()",
        "DisconnectAsked": "disconnect()",
        "CloseAsked": "close()",
        "AbortAsked": "cancelled",
    }
)
"""The calls that cause some events of the client's table; users know these names."""

EXAMPLE_STATES = (
    Connecting("ws://anywhere/", 1),
    Open("ws://anywhere/", None, 1),
    Disconnecting(1000, ""),
    Reconnecting(2, 1.0, datetime(2030, 1, 1, tzinfo=UTC), None, None, None),
    Closed(1000, ""),
)
"""An example of each public state."""


def draw_client_diagram() -> str:
    """Draw the client's table as a Mermaid state diagram."""
    return _draw(client_table.TABLE, Phase.NEW, [Phase.FINISHED], _CALL_LABELS)


def draw_connection_diagram() -> str:
    """Draw the table of one connection as a Mermaid state diagram."""
    phase = connection_table.Phase
    ends = [phase.CLOSED, phase.ABANDONED]
    return _draw(connection_table.TABLE, phase.CONNECTING, ends, {})


def tabulate_states() -> str:
    """Format a table of the commands that come with each public state."""
    new = ClientState()
    commands_by_state = {
        f"`{type(public_state).__name__}`": client_table.commands_of_change(
            new, new._replace(public_state=public_state)
        )
        for public_state in EXAMPLE_STATES
    }
    # close() on a new client returns the commands of `Closed`, FailSends, which depends
    # on the transition, and those that are added because it is permanent. Only the last
    # ones belong into this row.
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
    """Format a table of the client's commands and of what they do."""
    return _tabulate_docstrings(
        "command", "what it does", get_args(client_state.Command)
    )


def tabulate_connection_events() -> str:
    """Format a table of the labels in the diagram of a connection."""
    kinds = get_args(connection_table.Event)
    return _tabulate_docstrings(
        "in the diagram", "what has happened", kinds, _split_words
    )


def tabulate_connection_commands() -> str:
    """Format a table of a connection's commands and of what they do."""
    kinds = get_args(connection_table.Command)
    return _tabulate_docstrings("command", "what it does", kinds)


def tabulate_causes() -> str:
    """Format a table of the causes."""
    lines = [f"| `{name}` | {MEANINGS[name]} |" for name in get_args(Cause)]
    return "\n".join(["| cause | the state changed because |", "|---|---|", *lines])


def tabulate_events() -> str:
    """Format a table of the events, with their details.

    Raises:
        ToolError: EVENTS does not describe an event that is reported, or describes one
            that is not.
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
    """Find the calls in the source that report an event.

    Yields:
        The name of an event, and the names of its details.
    """
    # The source is parsed and not run: a test would have to cause every event once, and
    # `ws_js` cannot be imported outside a browser.
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                not isinstance(node, ast.Call)
                or _get_called_name(node) not in REPORTING
            ):
                continue
            match node.args:
                # Other calls of these functions pass an event on that has its name in a
                # variable. The place that names it is found as well.
                case [ast.Constant(value=str(name)), *rest]:
                    yield name, _list_detail_names(node, rest)


def render(page: str) -> str:
    """Return the page with the current text between each pair of markers.

    Raises:
        ToolError: A marker is missing from the page.
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
    return replace_parts(page, parts, "diagram.py", PAGE.name)


def main() -> int:
    """Update the page."""
    return update(PAGE, render)


def _draw(
    table: Mapping[tuple[Any, type], Any],
    first: Enum,
    last: Sequence[Enum],
    names: Mapping[str, str],
) -> str:
    # One arrow for each pair of phases, with all events as its label: parallel
    # arrows make a Mermaid diagram hard to read.
    labels: dict[tuple[Enum, Enum], list[str]] = {}
    for (source, kind), edge in table.items():
        label = names.get(kind.__name__, _split_words(kind))
        for target in edge.targets:
            labels.setdefault((source, target), []).append(label)
    # Arrows are sorted by the order of the enumeration, not by that of the table, so
    # that the page does not change when a row of the table moves.
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
    """Return the first paragraph of a docstring in one line.

    Raises:
        ToolError: The class has no docstring.
    """
    # NamedTuple generates a docstring such as "Wait(attempt, delay)" for a class
    # without one, and getdoc() would take the docstring of a base class.
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
        # `fault("listener_raised", error)`: the second argument is always an exception.
        case [_]:
            names.add("error")
        case _:
            pass
    return names


def _check_explanations(explained: Iterable[str], used: Iterable[str]) -> None:
    here = "EVENTS in tools/diagram.py"
    if missing := sorted(set(used) - set(explained)):
        raise ToolError(f"{here} does not describe: {', '.join(missing)}")
    if stale := sorted(set(explained) - set(used)):
        raise ToolError(f"{here} describes what is never reported: {', '.join(stale)}")


if __name__ == "__main__":
    sys.exit(run_main(main))
