"""The tests mirror the source, and no file of it has two subjects."""

import io
import tokenize
from pathlib import Path

import pytest

from tools.common import ROOT

SOURCE = ROOT / "src"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.name != "__init__.py")
MAX_LINES = 300
LONG = {
    "ws_common/client.py": "the face of the client: every method is documented there",
    "ws_common/options/options.py": "every option is documented there, with its type",
    "ws_common/lifecycle/client_table.py": "a table, read as a whole",
    "ws_common/lifecycle/client_state.py": "the events and commands of that table",
    "ws_common/connection/connection_table.py": "a table, read as a whole",
}
"""Files that may be longer, and why."""

DECLARATIONS = {"browser_types.py", "client_protocol.py", "javascript_types.py"}
"""Files that hold types alone: type checkers test them."""

COMMENTS = 0.04
"""The least share of the lines of the source that are comments."""

TESTS = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.name not in DECLARATIONS], ids=name_of
)
def test_module_has_a_test_file(path):
    """A module `x.py` is tested in a file that begins with `test_x`."""
    stem = path.stem.strip("_")
    assert any(
        test == f"test_{stem}" or test.startswith(f"test_{stem}_") for test in TESTS
    )


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_file_is_short(path):
    """A longer one usually has two subjects."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if name_of(path) in LONG:
        assert lines > MAX_LINES, "it needs no exception any more"
    else:
        assert lines <= MAX_LINES


def test_comments_say_why():
    """Names say what the code does; why it does it needs words."""
    total = comments = 0
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        total += len(text.splitlines())
        comments += sum(
            token.type == tokenize.COMMENT and not token.string.startswith("# noqa")
            for token in tokens
        )
    assert comments / total >= COMMENTS
