"""One coverage for both platforms: the native run's, and what a page measured."""

from tools.common import ROOT, ToolError, run
from tools.steps import python

NATIVE = ROOT / ".cache" / "coverage"
"""As `pyproject.toml` has it; a page's has a suffix (`tests/browser/results.py`)."""

LEAST = 98
"""Per cent of lines and branches that both runs together cover, at the least."""


def report_coverage() -> str:
    """Combine what there is, and return the report.

    Raises:
        ToolError: Neither run has measured anything, or less than `LEAST` is covered.
    """
    pages = sorted(NATIVE.parent.glob(f"{NATIVE.name}.*"))
    if not NATIVE.exists() and not pages:
        raise ToolError("Nothing was measured: did the tests run?")
    if pages:
        what = "combine the coverage of both platforms"
        run(
            python("-m", "coverage", "combine", "--append", *map(str, pages)), what=what
        )
    # Not in `pyproject.toml`, where pytest-cov would hold the native run alone to it.
    report = python("-m", "coverage", "report", f"--fail-under={LEAST}")
    return run(report, what=f"reach a coverage of {LEAST} %")
