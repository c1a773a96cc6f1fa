"""The page about the architecture says what the code is."""

import re

import pytest

from tools import architecture
from tools.common import ROOT, ToolError

TEXT = architecture.PAGE.read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PATHS = sorted(
    set(re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", f"{TEXT}{CONTRIBUTING}"))
)


def test_page_is_current():
    """`python -m tools.architecture` would change nothing."""
    assert architecture.render(TEXT) == TEXT


def test_a_missing_marker_is_named():
    """Without its markers a part would be left out in silence."""
    with pytest.raises(ToolError, match="<!-- rooms: drawn by"):
        architecture.render(TEXT.replace("<!-- /rooms -->", ""))


def test_all_rooms_are_drawn():
    """A new room has to be given its place in the picture."""
    folders = {path.name for path in (ROOT / "src" / "ws_common").iterdir()}
    rooms = {name for name in folders if "." not in name} - {"__pycache__"}
    assert rooms == set(architecture.ROOMS)


@pytest.mark.parametrize("path", PATHS)
def test_files_are_there(path):
    """Every file that the page or CONTRIBUTING names exists."""
    places = (ROOT, ROOT / "src", ROOT / "src" / "ws_common")
    assert any((place / path).is_file() for place in places)


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"`([A-Z]\w+)`", TEXT)) - {"WebSocket"})
)
def test_names_are_there(name):
    """Every class that the page names is defined in the source."""
    pattern = re.compile(
        rf"^(class {name}\b|{name}\b *[:=]|    {name} = )", re.MULTILINE
    )
    files = (ROOT / "src").rglob("*.py")
    assert any(pattern.search(path.read_text(encoding="utf-8")) for path in files)
