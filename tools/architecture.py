"""Draw the rooms and their modules into docs/architecture.md.

Run it with `python -m tools.architecture`.

The picture shows the imports in the code, and the tables contain the first paragraph of
each module's docstring. A test fails if the page differs from what this module draws.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import grimp

from tools.common import ROOT, ToolError, run_main
from tools.drawn_pages import replace_parts, update

PAGE: Final = ROOT / "docs" / "architecture.md"
SOURCE: Final = ROOT / "src"
COMMON: Final = "ws_common"

ROOMS: Final = (
    "runtime",
    "connection",
    "diagnostics",
    "receive",
    "send",
    "lifecycle",
    "options",
    "vocabulary",
)
"""The rooms of `ws_common` from top to bottom, as import-linter enforces them."""


def draw_rooms() -> str:
    """Draw the imports between the rooms as a Mermaid flowchart."""
    graph = grimp.build_graph(COMMON)
    lines = ["flowchart TD", "    client[client.py]"]
    for upper, lower in _list_arrows(graph):
        lines.append(f"    {upper} --> {lower}")
    return "\n".join(["```mermaid", *lines, "```"])


def _list_arrows(graph: grimp.ImportGraph) -> Iterator[tuple[str, str]]:
    names = ["client", *ROOMS]
    for index, upper in enumerate(names):
        for lower in names[index + 1 :]:
            # Every room imports these two. Their arrows would hide the others.
            if lower in {"vocabulary", "options"}:
                continue
            importer, imported = f"{COMMON}.{upper}", f"{COMMON}.{lower}"
            # as_packages counts the imports of the modules inside a room as well.
            if graph.direct_import_exists(
                importer=importer, imported=imported, as_packages=True
            ):
                yield upper, lower


def draw_module_tables() -> str:
    """Format a table of the modules of each room and of both backends."""
    tables = [
        _format_table(SOURCE / COMMON, "ws_common", "the client, and what it wraps")
    ]
    for room in ROOMS:
        folder = SOURCE / COMMON / room
        tables.append(
            _format_table(folder, f"ws_common/{room}", _read_first_line(folder))
        )
    for backend in ("ws_vm", "ws_js"):
        folder = SOURCE / backend
        tables.append(_format_table(folder, backend, _read_first_line(folder)))
    return "\n\n".join(tables)


def _format_table(folder: Path, title: str, about: str) -> str:
    rows = [
        f"| `{path.stem}` | {_read_first_line(path)} |"
        for path in sorted(folder.glob("*.py"))
        if path.stem != "__init__"
    ]
    head = f"**`{title}`**: {about[0].lower()}{about[1:].rstrip('.')}."
    # A blank line is needed above a table, or Markdown takes it for a part of the
    # sentence.
    return "\n".join([head, "", "| module | what it holds |", "|---|---|", *rows])


def _read_first_line(path: Path) -> str:
    # The source is parsed and not imported: `ws_js` can be imported only in a browser.
    if path.is_dir():
        path /= "__init__.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    if not text:
        raise ToolError(f"{path.relative_to(ROOT)} has no docstring")
    return " ".join(text.split("\n\n", maxsplit=1)[0].split())


def render(page: str) -> str:
    """Return the page with the current text between each pair of markers.

    Raises:
        ToolError: A marker is missing from the page.
    """
    parts = {"rooms": draw_rooms(), "modules": draw_module_tables()}
    return replace_parts(page, parts, "architecture.py", PAGE.name)


def main() -> int:
    """Update the page."""
    return update(PAGE, render)


if __name__ == "__main__":
    sys.exit(run_main(main))
