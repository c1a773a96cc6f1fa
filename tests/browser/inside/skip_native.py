"""A pytest plugin that leaves out, and lists, files that need what Pyodide lacks."""

import ast
from pathlib import Path

MISSING = frozenset({"looptime", "picows", "websockets", "ws_vm"})
"""The packages that only native tests can import."""

NATIVE_SUPPORT = frozenset({"tests.support.fake_tcp"})
"""The modules of our tests that need those packages."""


class NativeOnly:
    """The plugin.

    Attributes:
        left_out: The path of each file that was left out, and what it needs.
    """

    def __init__(self) -> None:
        self.left_out: dict[str, str] = {}

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        if collection_path.suffix != ".py":
            return None
        source = collection_path.read_text(encoding="utf-8")
        imported = _imported(source)
        missing = MISSING & {name.partition(".")[0] for name in imported}
        missing |= NATIVE_SUPPORT & imported
        if "pytest.mark.looptime" in source:
            missing |= {"looptime"}
        if not missing:
            return None
        # Files in different folders may have the same name.
        name = str(collection_path).partition("/tests/")[2]
        self.left_out[name] = ", ".join(sorted(missing))
        return True


def _imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names
