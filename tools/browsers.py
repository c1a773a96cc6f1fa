"""The tests in every browser that can be had, and heavy runs: `make test-browsers`.

Chromium and Node.js are part of `make test` too. What this machine cannot offer is
listed at the end, and why.
"""

import sys
import time

from tools.check import make_pytest_command, prepare_browser, print_summary
from tools.common import REPORTS, run_main
from tools.engines import ensure_engines
from tools.steps import Step, run_steps


def prepare_browsers() -> None:
    """Have what can be had.

    Raises:
        ToolError: Not even Chromium.
    """
    prepare_browser()
    ensure_engines()


def main() -> int:
    """Run them."""
    started = time.monotonic()
    for report in REPORTS.glob("*.xml"):
        report.unlink()
    command = make_pytest_command("browser", ["browser"], "--everywhere")
    step = Step(
        "pytest, in every browser", "tests", command, prepare_browsers, exclusive=True
    )
    return print_summary(run_steps([step]), started)


if __name__ == "__main__":
    sys.exit(run_main(main))
