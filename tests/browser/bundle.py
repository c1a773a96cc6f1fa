"""The files for Pyodide: the wheel of this tree, pytest's wheels, and the tests."""

import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tools.assets import build_wheel, ensure_node_modules
from tools.common import (
    BUILD,
    NODE_MODULES,
    ROOT,
    STAMPS,
    digest,
    is_fresh,
    run,
    write_stamp,
)

PYODIDE = NODE_MODULES / "pyodide"
PYSCRIPT = NODE_MODULES / "@pyscript" / "core" / "dist"
LITE = BUILD / "jupyterlite" / "site"
NPM_WS = NODE_MODULES / "ws" / "wrapper.mjs"

ARCHIVES = BUILD / "in-pyodide"
PYTEST_WHEELS = ARCHIVES / "pytest"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")

PYTHON = "3.14"
"""The Python inside Pyodide 314."""

SUITES = ("tests/contract", "tests/unit", "tests/browser/inside")
"""The folders of tests that run inside Pyodide."""

HELPERS = ("tests/support", "tests/bench")
"""The folders that those tests import."""


@dataclass(frozen=True)
class Bundle:
    """Archives by the name under which they are served, in the order of unpacking."""

    archives: dict[str, bytes]
    suites: tuple[str, ...]


def make() -> Bundle:
    """Download and build whatever is missing or out of date.

    Raises:
        ToolError: npm, pip or the build failed.
    """
    ensure_node_modules()
    _bring_pytest()
    wheels = [*sorted(PYTEST_WHEELS.glob("*.whl")), build_wheel()]
    archives = {wheel.name: wheel.read_bytes() for wheel in wheels}
    archives["tests.zip"] = _zip_tests()
    return Bundle(archives, SUITES)


def _bring_pytest() -> None:
    key = digest(REQUIREMENTS.read_bytes(), PYTHON.encode())
    stamp = STAMPS / "pytest-in-pyodide"
    if is_fresh(stamp, key) and PYTEST_WHEELS.is_dir():
        return
    for old in PYTEST_WHEELS.glob("*.whl"):
        old.unlink()
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    only = ["--only-binary=:all:", "--python-version", PYTHON, "--platform", "any"]
    run(
        [*pip, *only, "--dest", PYTEST_WHEELS, "--requirement", REQUIREMENTS],
        what="bring pytest for Pyodide",
        hint="Is the network there, and pip's index reachable?",
    )
    write_stamp(stamp, key)


def _zip_tests() -> bytes:
    ARCHIVES.mkdir(parents=True, exist_ok=True)
    path = ARCHIVES / "tests.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for folder in (*HELPERS, *SUITES):
            for source in sorted((ROOT / folder).rglob("*.py")):
                archive.write(source, source.relative_to(ROOT))
    return path.read_bytes()
