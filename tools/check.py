"""Run the linters, the type checkers and all tests, then print a table: `make test`.

`make check` passes `--quick`, which runs only the unit tests and takes under a minute.
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
from tools.common import BUILD, REPORTS, ROOT, ToolError, print_line, run_main
from tools.coverage_report import report_coverage
from tools.daemons import ensure_daemons
from tools.steps import Outcome, Step, format_table, make_python_command, run_steps

NATIVE_TESTS = ("unit", "contract", "native", "docs")
SERVER_TESTS = ("interop", "netns")
BROWSER_TESTS = ("e2e", "browser")
# pytest-playwright starts an event loop that pytest-asyncio's tests cannot share.
NO_PLAYWRIGHT = ("-p", "no:playwright")
EAGER_TASKS = ("-p", "tests.support.eager_plugin")

# mypy runs once for each platform, because `sys.platform == "emscripten"` makes the
# branches of the other platform unreachable, and mypy does not check those.
MYPY_NATIVE = ("-p", "ws", "-p", "ws_common", "-p", "ws_vm")
MYPY_BROWSER = ("-p", "ws", "-p", "ws_common", "-p", "ws_js")
MYPY_API = ("tests/typing",)


def _make_lint_steps() -> list[Step]:
    return [
        Step(
            "ruff check",
            "lint",
            make_python_command("-m", "ruff", "check", "--quiet", "."),
        ),
        Step(
            "ruff format",
            "lint",
            make_python_command("-m", "ruff", "format", "--check", "."),
        ),
        Step(
            "import-linter",
            "lint",
            make_python_command(
                # import-linter cannot be run with `-m`, and its script is not on PATH
                # when the environment is not activated.
                "-c",
                "from importlinter.cli import lint_imports_command as c; c()",
                "--no-logo",
            ),
        ),
        Step("glossary", "lint", make_python_command("-m", "tools.words")),
    ]


def _make_type_steps() -> list[Step]:
    pyright = make_python_command("-m", "pyright", "--pythonpath", sys.executable)
    return [
        Step("mypy, native", "types", _make_mypy_command("linux", MYPY_NATIVE)),
        Step("mypy, browser", "types", _make_mypy_command("emscripten", MYPY_BROWSER)),
        Step("mypy, API, native", "types", _make_mypy_command("linux", MYPY_API)),
        Step("mypy, API, browser", "types", _make_mypy_command("emscripten", MYPY_API)),
        Step(
            "mypy, tools and demo",
            "types",
            _make_mypy_command("linux", ("tools", "web-demo", "examples")),
        ),
        Step("pyright", "types", pyright),
        Step(
            "pyright --verifytypes",
            "types",
            [*pyright, "--verifytypes", "ws", "--ignoreexternal"],
            # --verifytypes ignores editable installs, but it searches PYTHONPATH.
            env={"PYTHONPATH": "src"},
        ),
    ]


def _make_mypy_command(platform: str, targets: Sequence[str]) -> list[str]:
    # With a shared cache, each run would invalidate the entries of the run before,
    # since they depend on the platform. Two runs at the same time would also collide.
    cache = f".cache/mypy-{platform}-{targets[-1]}"
    return make_python_command(
        "-m", "mypy", "--platform", platform, "--cache-dir", cache, *targets
    )


def _make_test_steps() -> list[Step]:
    # pytest-playwright and pytest-asyncio cannot run in one process: with Playwright's
    # loop running, pytest-asyncio fails with "Runner.run() cannot be called from a
    # running event loop". Hence separate runs. Each run is exclusive, because many
    # tests and the import time of the wheel are sensitive to other load on the machine.
    return [
        Step(
            "pytest, native",
            "tests",
            make_pytest_command(
                "native", NATIVE_TESTS, *NO_PLAYWRIGHT, "--cov", "--cov-report="
            ),
            exclusive=True,
        ),
        Step(
            "pytest, eager tasks",
            "tests",
            make_pytest_command("eager", ("contract",), *NO_PLAYWRIGHT, *EAGER_TASKS),
            exclusive=True,
        ),
        Step(
            "pytest, real servers and networks",
            "tests",
            make_pytest_command("real", SERVER_TESTS, *NO_PLAYWRIGHT),
            prepare=prepare_servers,
            exclusive=True,
        ),
        Step(
            "pytest, in Chromium",
            "tests",
            make_pytest_command("browser", BROWSER_TESTS),
            prepare=prepare_browser,
            exclusive=True,
        ),
        Step("coverage, both together", "tests", report_coverage, exclusive=True),
        Step("the wheel, without src/", "tests", check_wheel, exclusive=True),
    ]


def _make_unit_test_steps() -> list[Step]:
    command = make_pytest_command("unit", ("unit",), *NO_PLAYWRIGHT)
    return [Step("pytest, unit tests", "tests", command)]


def make_pytest_command(name: str, folders: Sequence[str], *options: str) -> list[str]:
    """Make a command that runs pytest and writes a report for `count_results`.

    Args:
        name: The name of the report.
        folders: Folders below `tests/`. Folders without tests are left out.
        *options: More options for pytest.
    """
    paths = [f"tests/{folder}" for folder in folders if _has_tests(folder)]
    report = REPORTS / f"{name}.xml"
    return make_python_command("-m", "pytest", *options, f"--junitxml={report}", *paths)


def _has_tests(folder: str) -> bool:
    return any((ROOT / "tests" / folder).rglob("test_*.py"))


def prepare_servers() -> None:
    """Install the servers that the tests need, as far as this machine allows.

    A missing server is not an error: the tests that need it are skipped and name it.
    """
    ensure_daemons()
    try:
        ensure_node_modules()
    except ToolError as error:
        print_line(str(error))


def prepare_browser() -> None:
    """Install a browser and build everything that its pages load.

    Raises:
        ToolError: Something could not be installed on this machine.
    """
    ensure_node_modules()
    build_wheel()
    ensure_chromium()


@dataclass
class Counts:
    """The totals over all reports of pytest."""

    passed: int = 0
    failed: int = 0
    expected_failures: int = 0
    skipped: list[str] = field(default_factory=list)


def count_results(reports: Path = REPORTS) -> Counts:
    """Add up the JUnit reports in a folder."""
    counts = Counts()
    for report in sorted(reports.glob("*.xml")):
        # pytest wrote this file a moment ago, so the XML can be trusted (S314).
        for case in ET.parse(report).iter("testcase"):  # noqa: S314
            skipped = case.find("skipped")
            if skipped is not None and skipped.get("type") == "pytest.xfail":
                # JUnit's format has no word for an expected failure: pytest writes
                # that the test was skipped, although it ran.
                counts.expected_failures += 1
            elif skipped is not None:
                reason = skipped.get("message", "")
                name = f"{case.get('classname')}.{case.get('name')}"
                counts.skipped.append(f"{name}: {reason}")
            elif case.find("failure") is None and case.find("error") is None:
                counts.passed += 1
            else:
                counts.failed += 1
    return counts


def print_summary(outcomes: Sequence[Outcome], started: float) -> int:
    """Print a table of the steps and a list of the tests that could not run.

    Args:
        outcomes: The outcomes of all steps.
        started: When the first step began, as `time.monotonic()` counts.

    Returns:
        The exit code.
    """
    counts = count_results()
    not_run = [
        f"{outcome.step.name}: {outcome.output}"
        for outcome in outcomes
        if outcome.result == "not run"
    ] + counts.skipped
    failed = [outcome for outcome in outcomes if outcome.result == "FAILED"]
    print_line(
        f"\n{format_table(outcomes)}\n\n  {time.monotonic() - started:.0f} s in all"
    )
    if not_run:
        print_line("\nNot run on this machine, with the reasons:")
        print_line("\n".join(f"  {line}" for line in not_run))
    # In CI nobody reads the list of tests that did not run, so a missing program there
    # has to fail the build.
    in_ci = os.environ.get("CI", "").lower() not in {"", "0", "false"}
    if not_run and in_ci:
        print_line("\nIn CI everything has to run, so this is a failure.")
    expected_failures = (
        f", {counts.expected_failures} fail as expected"
        if counts.expected_failures
        else ""
    )
    print_line(f"\n{counts.passed} passed, {counts.failed} failed{expected_failures}")
    return 1 if failed or (not_run and in_ci) else 0


def main() -> int:
    """Run the steps that the command line selects, by default all of them."""
    parser = argparse.ArgumentParser(prog="tools.check", description=__doc__)
    parser.add_argument("--only", choices=["lint", "types", "tests"])
    parser.add_argument(
        "--quick", action="store_true", help="of the tests, run only the unit tests"
    )
    arguments = parser.parse_args()
    only = arguments.only
    started = time.monotonic()
    BUILD.mkdir(exist_ok=True)
    # Reports of an earlier run would be counted again by print_summary().
    for report in REPORTS.glob("*.xml"):
        report.unlink()
    tests = _make_unit_test_steps() if arguments.quick else _make_test_steps()
    steps = [*_make_lint_steps(), *_make_type_steps(), *tests]
    chosen = [step for step in steps if only in {None, step.group}]
    return print_summary(run_steps(chosen), started)


if __name__ == "__main__":
    sys.exit(run_main(main))
