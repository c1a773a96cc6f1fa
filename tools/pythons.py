"""Run the native suite on every Python that we promise: `make test-pythons`.

On each Python from 3.11 on that is installed: the oldest and the newest `websockets`
that we allow, on asyncio, and the newest on uvloop, and on asyncio with eager tasks
(3.11, which has none, plays them). Ends in a table.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.common import ROOT, ToolError, digest, guarded, is_fresh, mark, run, say
from tools.setup import PYODIDE_TYPES

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
HOME = ROOT / ".cache" / "pythons"

OLDEST = "websockets==15.0"
NEWEST = "websockets"

LIMIT = "15m"
"""For one run of the suite."""

CASES = (
    ("oldest", "asyncio"),
    ("newest", "asyncio"),
    ("newest", "uvloop"),
    ("newest", "eager"),
)
"""Which `websockets`, on which loop."""

SUITES = {
    "asyncio": ("tests/unit", "tests/contract", "tests/native"),
    # The virtual clock of the unit tests is made for asyncio's own loop.
    "uvloop": ("-p", "tests.support.uvloop_plugin", "tests/contract", "tests/native"),
    "eager": ("-p", "tests.support.eager_plugin", "tests/unit", "tests/contract"),
}
"""What pytest is told for each loop."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    python: str
    websockets: str
    loop: str
    result: str
    seconds: float


def find_python(version: str) -> Path | None:
    """An interpreter of this version: pyenv's, or one on PATH."""
    homes = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = sorted(homes.glob(f"{version}.*/bin/python"), reverse=True)
    if found := shutil.which(f"python{version}"):
        candidates.append(Path(found))
    for candidate in candidates:
        ask = [
            str(candidate),
            "-c",
            "import sys; print('%d.%d' % sys.version_info[:2])",
        ]
        done = subprocess.run(ask, capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return candidate
    return None


def environment(version: str, python: Path) -> Path:
    """Have an environment with what the tests need, and return its interpreter.

    Raises:
        ToolError: It could not be made.
    """
    where = HOME / version
    inside = where / "bin" / "python"
    manifest = (ROOT / "pyproject.toml").read_bytes()
    key, stamp = (
        digest(manifest, PYODIDE_TYPES.encode(), str(python).encode()),
        where / "stamp",
    )
    if is_fresh(stamp, key) and inside.exists():
        return inside
    say(f"Making an environment for Python {version} ...")
    shutil.rmtree(where, ignore_errors=True)
    what = f"make an environment for Python {version}"
    run([python, "-m", "venv", where], what=what)
    pip = [str(inside), "-m", "pip", "install", "--quiet"]
    run([*pip, "--upgrade", "pip>=25.1"], what=what)
    run([*pip, "--editable", ".[demo,speed]", "--group", "test"], what=what)
    run([*pip, "--no-deps", "--ignore-requires-python", PYODIDE_TYPES], what=what)
    mark(stamp, key)
    return inside


def rows(version: str, more: list[str]) -> Iterator[Row]:
    """Run all cases on one Python."""
    python = find_python(version)
    if python is None:
        yield Row(version, "", "", "not run: it is not installed", 0.0)
        return
    inside = environment(version, python)
    for library, loop in CASES:
        wanted = OLDEST if library == "oldest" else NEWEST
        pip = [str(inside), "-m", "pip", "install", "--quiet", "--upgrade", wanted]
        run(pip, what=f"install {wanted}")
        began = time.monotonic()
        say(f"── Python {version}, {library} websockets, {loop} ...")
        command = ["timeout", LIMIT, str(inside), "-m", "pytest", "-q"]
        done = subprocess.run(
            [*command, "-p", "no:playwright", *more, *SUITES[loop]],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - began
        if done.returncode:
            say(done.stdout[-6000:])
        last = done.stdout.rstrip().rpartition("\n")[2]
        result = last.partition(" in ")[0].strip("= ")
        yield Row(_full(inside), _installed(inside), loop, result, seconds)


def _full(python: Path) -> str:
    code = "import platform; print(platform.python_version())"
    return run([python, "-c", code], what="ask for a version").strip()


def _installed(python: Path) -> str:
    listed = run(
        [python, "-m", "pip", "list", "--format=json"], what="list the packages"
    )
    versions = {entry["name"]: entry["version"] for entry in json.loads(listed)}
    return str(versions["websockets"])


def table(done: list[Row]) -> str:
    """All rows, as Markdown."""
    lines = ["| Python | websockets | loop | result | |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.python} | {row.websockets} | {row.loop} | {row.result} | "
        f"{row.seconds:.0f} s |"
        for row in done
    ]
    return "\n".join(lines)


def _is_good(result: str) -> bool:
    counted = set(re.findall(r"[a-z]+", result))  # "xfailed" is as expected
    return "passed" in counted and not counted & {"failed", "error", "errors"}


def main() -> int:
    """Run all of it; fail where a run has failed or nothing was run."""
    parser = argparse.ArgumentParser(prog="tools.pythons", description=__doc__)
    parser.add_argument("--python", action="append", choices=VERSIONS)
    parser.add_argument("more", nargs="*", help="passed on to pytest, after --")
    asked = parser.parse_args()
    done = [
        row for version in asked.python or VERSIONS for row in rows(version, asked.more)
    ]
    say(f"\n{table(done)}\n")
    failed = [row for row in done if row.seconds and not _is_good(row.result)]
    if failed or not any(row.seconds for row in done):
        raise ToolError(f"{len(failed)} of {len(done)} runs failed")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
