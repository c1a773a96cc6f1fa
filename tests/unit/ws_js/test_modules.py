"""The names of modules tell what belongs to Pyodide and what to the browser."""

import ast
import importlib.util
import pkgutil
from pathlib import Path

import pytest

import ws_js

MODULES = [module.name for module in pkgutil.iter_modules(ws_js.__path__)]


def imports_of(name: str) -> set[str]:
    """The packages that a module imports."""
    spec = importlib.util.find_spec(f"ws_js.{name}")
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("name", MODULES)
def test_only_pyodide_modules_import_pyodide(name):
    """All others see JavaScript through Protocols."""
    if not name.startswith("pyodide_"):
        assert imports_of(name).isdisjoint({"js", "pyodide"})
