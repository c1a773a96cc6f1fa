"""One coverage for both platforms: the native run's, and what a page measured."""

from tools.common import ROOT, ToolError, run
from tools.steps import make_python_command

DATA_FILE = ROOT / ".cache" / "coverage"
"""As `pyproject.toml` has it; a page's has a suffix (`tests/browser/results.py`)."""

MINIMUM_PERCENT = 98
"""Per cent of lines and branches that both runs together cover, at the least."""


def report_coverage() -> str:
    """Combine what there is, and return the report.

    Raises:
        ToolError: Neither run has measured anything, or less than `LEAST` is covered.
    """
    page_files = sorted(DATA_FILE.parent.glob(f"{DATA_FILE.name}.*"))
    if not DATA_FILE.exists() and not page_files:
        raise ToolError("Nothing was measured: did the tests run?")
    if page_files:
        what = "combine the coverage of both platforms"
        run(
            make_python_command(
                "-m", "coverage", "combine", "--append", *map(str, page_files)
            ),
            what=what,
        )
    # Not in `pyproject.toml`, where pytest-cov would hold the native run alone to it.
    report = make_python_command(
        "-m", "coverage", "report", f"--fail-under={MINIMUM_PERCENT}"
    )
    return run(report, what=f"reach a coverage of {MINIMUM_PERCENT} %")
