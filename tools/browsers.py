"""The tests in every browser that can be had, and heavy runs: `make test-browsers`.

Chromium and Node.js are part of `make test` too. What this machine cannot offer is
listed at the end, and why.
"""

import sys
import time

from tools.check import close, prepare_browser, pytest_command
from tools.common import REPORTS, guarded
from tools.engines import ensure_engines
from tools.steps import Step, run_steps


def prepare() -> None:
    """Have what can be had.

    Raises:
        ToolError: Not even Chromium.
    """
    prepare_browser()
    ensure_engines()


def main() -> int:
    """Run them."""
    began = time.monotonic()
    for report in REPORTS.glob("*.xml"):
        report.unlink()
    command = pytest_command("browser", ["browser"], "--everywhere")
    step = Step("pytest, in every browser", "tests", command, prepare, alone=True)
    return close(run_steps([step]), began)


if __name__ == "__main__":
    sys.exit(guarded(main))
