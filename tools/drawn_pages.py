"""Pages of the docs of which some parts are drawn from the code."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.common import ToolError, print_line


def replace_parts(page: str, parts: Mapping[str, str], tool: str, name: str) -> str:
    """Return a page with the current text between each pair of markers.

    Args:
        page: The text of the page.
        parts: The text of each part, by its name.
        tool: The file of `tools/` that the markers name.
        name: The name of the page, for the error.

    Raises:
        ToolError: A marker is missing from the page.
    """
    for part, text in parts.items():
        begin, end = f"<!-- {part}: drawn by tools/{tool} -->", f"<!-- /{part} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        # Without this check, a page that has lost a marker would be left out of date.
        if len(pattern.findall(page)) != 1:
            raise ToolError(f"{name} needs one pair of markers {begin} {end}")
        before, after = pattern.split(page)
        page = f"{before}{begin}\n{text}\n{end}{after}"
    return page


def update(path: Path, render: Callable[[str], str]) -> int:
    """Draw the parts of a page again, and say whether anything has changed."""
    page = path.read_text(encoding="utf-8")
    drawn = render(page)
    path.write_text(drawn, encoding="utf-8")
    print_line(
        f"{path.name} {'is up to date' if drawn == page else 'has been updated'}"
    )
    return 0
