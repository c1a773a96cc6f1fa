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

from tools.common import (
    ROOT,
    ToolError,
    digest,
    is_fresh,
    print_line,
    run,
    run_main,
    write_stamp,
)
from tools.setup import PYODIDE_TYPES

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
CACHE = ROOT / ".cache" / "pythons"

OLDEST = "websockets==15.0"
NEWEST = "websockets"

RUN_TIMEOUT = "15m"
"""For one run of the suite."""

CASES = (
    ("oldest", "asyncio"),
    ("newest", "asyncio"),
    ("newest", "uvloop"),
    ("newest", "eager"),
)
"""Which `websockets`, on which loop."""

PYTEST_ARGUMENTS = {
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
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = sorted(versions.glob(f"{version}.*/bin/python"), reverse=True)
    if found := shutil.which(f"python{version}"):
        candidates.append(Path(found))
    for candidate in candidates:
        command = [
            str(candidate),
            "-c",
            "import sys; print('%d.%d' % sys.version_info[:2])",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return candidate
    return None


def ensure_environment(version: str, python: Path) -> Path:
    """Have an environment with what the tests need, and return its interpreter.

    Raises:
        ToolError: It could not be made.
    """
    folder = CACHE / version
    interpreter = folder / "bin" / "python"
    manifest = (ROOT / "pyproject.toml").read_bytes()
    key, stamp = (
        digest(manifest, PYODIDE_TYPES.encode(), str(python).encode()),
        folder / "stamp",
    )
    if is_fresh(stamp, key) and interpreter.exists():
        return interpreter
    print_line(f"Making an environment for Python {version} ...")
    shutil.rmtree(folder, ignore_errors=True)
    what = f"make an environment for Python {version}"
    run([python, "-m", "venv", folder], what=what)
    pip = [str(interpreter), "-m", "pip", "install", "--quiet"]
    run([*pip, "--upgrade", "pip>=25.1"], what=what)
    run([*pip, "--editable", ".[demo,speed]", "--group", "test"], what=what)
    run([*pip, "--no-deps", "--ignore-requires-python", PYODIDE_TYPES], what=what)
    write_stamp(stamp, key)
    return interpreter


def run_cases(version: str, pytest_arguments: list[str]) -> Iterator[Row]:
    """Run all cases on one Python."""
    python = find_python(version)
    if python is None:
        yield Row(version, "", "", "not run: it is not installed", 0.0)
        return
    interpreter = ensure_environment(version, python)
    for library, loop in CASES:
        requirement = OLDEST if library == "oldest" else NEWEST
        pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--upgrade"]
        run([*pip, requirement], what=f"install {requirement}")
        started = time.monotonic()
        print_line(f"── Python {version}, {library} websockets, {loop} ...")
        pytest = ["timeout", RUN_TIMEOUT, str(interpreter), "-m", "pytest", "-q"]
        pytest += ["-p", "no:playwright"]
        done = subprocess.run(
            [*pytest, *pytest_arguments, *PYTEST_ARGUMENTS[loop]],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - started
        if done.returncode:
            print_line(done.stdout[-6000:])
        last = done.stdout.rstrip().rpartition("\n")[2]
        result = last.partition(" in ")[0].strip("= ")
        yield Row(
            _get_python_version(interpreter),
            _get_websockets_version(interpreter),
            loop,
            result,
            seconds,
        )


def _get_python_version(python: Path) -> str:
    code = "import platform; print(platform.python_version())"
    return run([python, "-c", code], what="ask for a version").strip()


def _get_websockets_version(python: Path) -> str:
    listed = run(
        [python, "-m", "pip", "list", "--format=json"], what="list the packages"
    )
    versions = {entry["name"]: entry["version"] for entry in json.loads(listed)}
    return str(versions["websockets"])


def format_table(done: list[Row]) -> str:
    """All rows, as Markdown."""
    lines = ["| Python | websockets | loop | result | |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.python} | {row.websockets} | {row.loop} | {row.result} | "
        f"{row.seconds:.0f} s |"
        for row in done
    ]
    return "\n".join(lines)


def _is_success(result: str) -> bool:
    words = set(re.findall(r"[a-z]+", result))  # "xfailed" is as expected
    return "passed" in words and not words & {"failed", "error", "errors"}


def main() -> int:
    """Run all of it; fail where a run has failed or nothing was run."""
    parser = argparse.ArgumentParser(prog="tools.pythons", description=__doc__)
    parser.add_argument("--python", action="append", choices=VERSIONS)
    parser.add_argument("more", nargs="*", help="passed on to pytest, after --")
    arguments = parser.parse_args()
    done = [
        row
        for version in arguments.python or VERSIONS
        for row in run_cases(version, arguments.more)
    ]
    print_line(f"\n{format_table(done)}\n")
    failed = [row for row in done if row.seconds and not _is_success(row.result)]
    if failed or not any(row.seconds for row in done):
        raise ToolError(f"{len(failed)} of {len(done)} runs failed")
    return 0


if __name__ == "__main__":
    sys.exit(run_main(main))
