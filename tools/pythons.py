"""Run the native tests on every installed Python we support: `make test-pythons`.

On each Python the tests run four times: on asyncio with the oldest and with the newest
`websockets` that we allow, and with the newest one on uvloop and on asyncio with eager
tasks. (Python 3.11 has no eager tasks, so a plugin of the tests imitates them.) At the
end a table shows the results.
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
"""The time limit for one run of the tests."""

CASES = (
    ("oldest", "asyncio"),
    ("newest", "asyncio"),
    ("newest", "uvloop"),
    ("newest", "eager"),
)
"""The version of `websockets` and the event loop of each run."""

PYTEST_ARGUMENTS = {
    "asyncio": ("tests/unit", "tests/contract", "tests/native"),
    # The unit tests are left out: their virtual clock patches asyncio's own loop.
    "uvloop": ("-p", "tests.support.uvloop_plugin", "tests/contract", "tests/native"),
    "eager": ("-p", "tests.support.eager_plugin", "tests/unit", "tests/contract"),
}
"""The arguments of pytest for each event loop."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    python: str
    websockets: str
    loop: str
    result: str
    seconds: float


def find_python(version: str) -> Path | None:
    """Find an interpreter of a version, such as 3.12: pyenv's, or one on PATH."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = sorted(versions.glob(f"{version}.*/bin/python"), reverse=True)
    if found := shutil.which(f"python{version}"):
        candidates.append(Path(found))
    # Each candidate is asked for its version: pyenv's shims are on PATH for versions
    # that are installed but not selected, and those only print an error.
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
    """Make a virtual environment with everything that the tests need.

    Args:
        version: The version, which names the folder.
        python: The interpreter to make the environment with.

    Returns:
        The interpreter of the environment. If it is up to date, nothing is installed.

    Raises:
        ToolError: The environment could not be made.
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
    """Run all cases on one version of Python.

    Args:
        version: The version, such as 3.12.
        pytest_arguments: More arguments for pytest.

    Yields:
        The row of each case as soon as it has run.
    """
    python = find_python(version)
    if python is None:
        yield Row(version, "", "", "not run: it is not installed", 0.0)
        return
    interpreter = ensure_environment(version, python)
    for library, loop in CASES:
        requirement = OLDEST if library == "oldest" else NEWEST
        pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--upgrade"]
        run([*pip, requirement], what=f"install {requirement}")
        # One environment serves all cases. Only `websockets` is replaced between them,
        # which is much faster than making an environment for each case.
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
        # The output is shown only if the run failed. Its end contains the failures.
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
    """Format the rows as a Markdown table."""
    lines = ["| Python | websockets | loop | result | |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.python} | {row.websockets} | {row.loop} | {row.result} | "
        f"{row.seconds:.0f} s |"
        for row in done
    ]
    return "\n".join(lines)


def _is_success(result: str) -> bool:
    # Whole words are compared, because "2 xfailed" contains "failed" but is a success.
    words = set(re.findall(r"[a-z]+", result))
    return "passed" in words and not words & {"failed", "error", "errors"}


def main() -> int:
    """Run all cases; fail if a run failed, or if no Python was found."""
    parser = argparse.ArgumentParser(prog="tools.pythons", description=__doc__)
    parser.add_argument("--python", action="append", choices=VERSIONS)
    parser.add_argument("more", nargs="*", help="arguments for pytest, after --")
    arguments = parser.parse_args()
    done = [
        row
        for version in arguments.python or VERSIONS
        for row in run_cases(version, arguments.more)
    ]
    print_line(f"\n{format_table(done)}\n")
    failed = [row for row in done if row.seconds and not _is_success(row.result)]
    # A Python that is not installed has a row without seconds. It is not a failure,
    # unless no Python was found at all: then nothing was tested.
    if failed or not any(row.seconds for row in done):
        raise ToolError(f"{len(failed)} of {len(done)} runs failed")
    return 0


if __name__ == "__main__":
    sys.exit(run_main(main))
