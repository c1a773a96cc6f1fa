"""Run the tests in all available browsers, and heavy loads: `make test-browsers`.

`make test` also runs them in Chromium and in Node.js. At the end, this command lists
the tests that could not run on this machine, and the reasons.
"""

import sys
import time

from tools.check import make_pytest_command, prepare_browser, print_summary
from tools.common import REPORTS, run_main
from tools.engines import ensure_engines
from tools.steps import Step, run_steps


def prepare_browsers() -> None:
    """Install the browsers that can be installed.

    Raises:
        ToolError: Not even a Chromium could be installed.
    """
    prepare_browser()
    ensure_engines()


def main() -> int:
    """Run the tests and print a summary."""
    started = time.monotonic()
    # print_summary() adds up all reports in this folder, so old ones have to go first.
    for report in REPORTS.glob("*.xml"):
        report.unlink()
    command = make_pytest_command("browser", ["browser"], "--everywhere")
    step = Step(
        "pytest, in every browser", "tests", command, prepare_browsers, exclusive=True
    )
    return print_summary(run_steps([step]), started)


if __name__ == "__main__":
    sys.exit(run_main(main))
