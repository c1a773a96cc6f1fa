"""Combine the coverage that the native run and the pages in a browser have measured."""

from tools.common import ROOT, ToolError, run
from tools.steps import make_python_command

DATA_FILE = ROOT / ".cache" / "coverage"
"""The file of the native run, as in `pyproject.toml`.

`tests/browser/results.py` writes the data of each page to this path with a suffix.
"""

MINIMUM_PERCENT = 98
"""The minimum percentage of lines and branches that both runs together must cover."""


def report_coverage() -> str:
    """Combine the available data files, and return the report.

    Raises:
        ToolError: There are no data files, or the coverage is below `MINIMUM_PERCENT`.
    """
    page_files = sorted(DATA_FILE.parent.glob(f"{DATA_FILE.name}.*"))
    if not DATA_FILE.exists() and not page_files:
        raise ToolError("No coverage was measured. Run the tests first: make test")
    if page_files:
        what = "combine the coverage of both platforms"
        run(
            make_python_command(
                "-m", "coverage", "combine", "--append", *map(str, page_files)
            ),
            what=what,
        )
    # The minimum is not in `pyproject.toml`, because pytest-cov would apply it to the
    # native run alone, which does not run the browser's backend.
    report = make_python_command(
        "-m", "coverage", "report", f"--fail-under={MINIMUM_PERCENT}"
    )
    return run(report, what=f"reach a coverage of {MINIMUM_PERCENT} %")
