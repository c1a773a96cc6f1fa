"""Pyodide as it is on a CDN: with micropip, and whatever else wheels there are.

npm's package has the lock of all packages and none of their wheels. PyPI's wheels have
other hashes; so the lock is rewritten.
"""

import hashlib
import json
import shutil
import sys
import zipfile
from collections.abc import Sequence
from email.parser import Parser
from pathlib import Path
from typing import Any

from tests.browser.bundle import PYODIDE, PYTHON
from tools.common import BUILD, STAMPS, digest, is_fresh, run, write_stamp

REQUIREMENTS = Path(__file__).with_name("micropip.txt")
MICROPIP = BUILD / "pyodide-micropip"


def with_micropip() -> Path:
    """Have a Pyodide with micropip; returns its folder.

    Raises:
        ToolError: pip failed.
    """
    make(MICROPIP, REQUIREMENTS)
    return MICROPIP


def make(folder: Path, requirements: Path) -> None:
    """Have a Pyodide with all wheels of a requirements file in a folder.

    Raises:
        ToolError: pip failed.
    """
    lock = PYODIDE / "pyodide-lock.json"
    key = digest(requirements.read_bytes(), lock.read_bytes())
    stamp = STAMPS / folder.name
    if is_fresh(stamp, key) and folder.is_dir():
        return
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(PYODIDE, folder)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    only = ["--only-binary=:all:", "--python-version", PYTHON, "--platform", "any"]
    run(
        [*pip, *only, "--dest", folder, "--requirement", requirements],
        what=f"bring the wheels of {requirements.name}",
        hint="Is the network there, and pip's index reachable?",
    )
    content = json.loads(lock.read_text(encoding="utf-8"))
    for wheel in sorted(folder.glob("*.whl")):
        _lock(content["packages"], wheel)
    (folder / lock.name).write_text(json.dumps(content), encoding="utf-8")
    write_stamp(stamp, key)


def _lock(packages: dict[str, Any], wheel: Path) -> None:
    name, version, imports = _about(wheel)
    # What was there of it knows its dependencies as Pyodide names them.
    entry = packages.setdefault(name, {"depends": [], "imports": imports})
    entry |= {
        "file_name": wheel.name,
        "install_dir": "site",
        "name": name,
        "package_type": "package",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "unvendored_tests": False,
        "version": version,
    }


def _about(wheel: Path) -> tuple[str, str, Sequence[str]]:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        headers = Parser().parsestr(archive.read(metadata).decode())
    imports = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    name = headers["Name"].lower().replace("_", "-").replace(".", "-")
    return name, headers["Version"], sorted(imports)
