"""Lint, types and all tests, and a table of what became of them: `make test`.

With `--quick` the unit tests alone, in under a minute: `make check`.
"""

import argparse
import os
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.assets import build_wheel, ensure_node_modules
from tools.browser import ensure_chromium
from tools.check_wheel import check_wheel
from tools.common import BUILD, REPORTS, ROOT, ToolError, guarded, say
from tools.coverage_report import report_coverage
from tools.daemons import ensure_daemons
from tools.steps import Outcome, Step, python, run_steps, table

NATIVE_TESTS = ("unit", "contract", "native", "docs")
REAL_TESTS = ("interop", "netns")
BROWSER_TESTS = ("e2e", "browser")
NO_PAGE = ("-p", "no:playwright")
EAGER_TASKS = ("-p", "tests.support.eager_plugin")

MYPY_NATIVE = ("-p", "ws", "-p", "ws_common", "-p", "ws_vm")
MYPY_BROWSER = ("-p", "ws", "-p", "ws_common", "-p", "ws_js")
MYPY_API = ("tests/typing",)


def _lint() -> list[Step]:
    return [
        Step("ruff check", "lint", python("-m", "ruff", "check", "--quiet", ".")),
        Step("ruff format", "lint", python("-m", "ruff", "format", "--check", ".")),
        Step(
            "import-linter",
            "lint",
            python(
                "-c",
                "from importlinter.cli import lint_imports_command as c; c()",
                "--no-logo",
            ),
        ),
    ]


def _types() -> list[Step]:
    pyright = python("-m", "pyright", "--pythonpath", sys.executable)
    return [
        Step("mypy, native", "types", _mypy("linux", MYPY_NATIVE)),
        Step("mypy, browser", "types", _mypy("emscripten", MYPY_BROWSER)),
        Step("mypy, API, native", "types", _mypy("linux", MYPY_API)),
        Step("mypy, API, browser", "types", _mypy("emscripten", MYPY_API)),
        Step(
            "mypy, tools and demo",
            "types",
            _mypy("linux", ("tools", "web-demo", "examples")),
        ),
        Step("pyright", "types", pyright),
        Step(
            "pyright --verifytypes",
            "types",
            [*pyright, "--verifytypes", "ws", "--ignoreexternal"],
            # It looks where packages are installed, and not into editable ones.
            env={"PYTHONPATH": "src"},
        ),
    ]


def _mypy(platform: str, what: Sequence[str]) -> list[str]:
    # A cache for each run: they would throw away each other's.
    cache = f".cache/mypy-{platform}-{what[-1]}"
    return python("-m", "mypy", "--platform", platform, "--cache-dir", cache, *what)


def _tests() -> list[Step]:
    # pytest-playwright and pytest-asyncio both want the loop: two runs.
    return [
        Step(
            "pytest, native",
            "tests",
            pytest_command("native", NATIVE_TESTS, *NO_PAGE, "--cov", "--cov-report="),
            alone=True,
        ),
        Step(
            "pytest, eager tasks",
            "tests",
            pytest_command("eager", ("contract",), *NO_PAGE, *EAGER_TASKS),
            alone=True,
        ),
        Step(
            "pytest, real servers and networks",
            "tests",
            pytest_command("real", REAL_TESTS, *NO_PAGE),
            needs=prepare_real,
            alone=True,
        ),
        Step(
            "pytest, in Chromium",
            "tests",
            pytest_command("browser", BROWSER_TESTS),
            needs=prepare_browser,
            alone=True,
        ),
        Step("coverage, both together", "tests", report_coverage, alone=True),
        Step("the wheel, without src/", "tests", check_wheel, alone=True),
    ]


def _unit_tests() -> list[Step]:
    command = pytest_command("unit", ("unit",), *NO_PAGE)
    return [Step("pytest, unit tests", "tests", command)]


def pytest_command(name: str, folders: Sequence[str], *options: str) -> list[str]:
    """A run of pytest that writes a report for `count`."""
    there = [f"tests/{folder}" for folder in folders if _has_tests(folder)]
    report = REPORTS / f"{name}.xml"
    return python("-m", "pytest", *options, f"--junitxml={report}", *there)


def _has_tests(folder: str) -> bool:
    return any((ROOT / "tests" / folder).rglob("test_*.py"))


def prepare_real() -> None:
    """Have what the tests against real servers need, as far as it can be had.

    What is missing, the tests that need it say: that is no reason not to run the rest.
    """
    ensure_daemons()
    try:
        ensure_node_modules()
    except ToolError as error:
        say(str(error))


def prepare_browser() -> None:
    """Have what the tests in a browser need.

    Raises:
        ToolError: It cannot be had on this machine.
    """
    ensure_node_modules()
    build_wheel()
    ensure_chromium()


@dataclass
class Counts:
    """What pytest's reports add up to."""

    passed: int = 0
    failed: int = 0
    known: int = 0
    skipped: list[str] = field(default_factory=list)


def count(reports: Path = REPORTS) -> Counts:
    """Add up the JUnit reports in a folder."""
    counts = Counts()
    for report in sorted(reports.glob("*.xml")):
        # Written by our own pytest a moment ago: nothing to defuse.
        for case in ET.parse(report).iter("testcase"):  # noqa: S314
            skipped = case.find("skipped")
            if skipped is not None and skipped.get("type") == "pytest.xfail":
                counts.known += 1  # it was run, and fails as its mark says
            elif skipped is not None:
                reason = skipped.get("message", "")
                name = f"{case.get('classname')}.{case.get('name')}"
                counts.skipped.append(f"{name}: {reason}")
            elif case.find("failure") is None and case.find("error") is None:
                counts.passed += 1
            else:
                counts.failed += 1
    return counts


def close(outcomes: Sequence[Outcome], began: float) -> int:
    """Print the table and what was not run; return the exit code.

    What was not run is a failure where CI is: nobody looks there at a list.
    """
    counts = count()
    not_run = [
        f"{outcome.step.name}: {outcome.output}"
        for outcome in outcomes
        if outcome.result == "not run"
    ] + counts.skipped
    failed = [outcome for outcome in outcomes if outcome.result == "FAILED"]
    say(f"\n{table(outcomes)}\n\n  {time.monotonic() - began:.0f} s in all")
    if not_run:
        say("\nNot run on this machine, and why:")
        say("\n".join(f"  {line}" for line in not_run))
    in_ci = os.environ.get("CI", "").lower() not in {"", "0", "false"}
    if not_run and in_ci:
        say("\nUnder CI everything has to run, so this is a failure.")
    known = f", {counts.known} fail as expected" if counts.known else ""
    say(f"\n{counts.passed} passed, {counts.failed} failed{known}")
    return 1 if failed or (not_run and in_ci) else 0


def main() -> int:
    """Run the steps that the command line asks for, by default all."""
    parser = argparse.ArgumentParser(prog="tools.check", description=__doc__)
    parser.add_argument("--only", choices=["lint", "types", "tests"])
    parser.add_argument("--quick", action="store_true", help="unit tests alone")
    arguments = parser.parse_args()
    only = arguments.only
    began = time.monotonic()
    BUILD.mkdir(exist_ok=True)
    for report in REPORTS.glob("*.xml"):
        report.unlink()
    tests = _unit_tests() if arguments.quick else _tests()
    steps = [*_lint(), *_types(), *tests]
    chosen = [step for step in steps if only in {None, step.group}]
    return close(run_steps(chosen), began)


if __name__ == "__main__":
    sys.exit(guarded(main))
