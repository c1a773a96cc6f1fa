"""Runs pytest inside Pyodide, and returns the outcome of each test as JSON."""

import base64
import json
import os
import platform
import sys
import time
from collections.abc import Awaitable
from typing import Any

import js
import pyodide
import pytest
from pyodide.ffi import can_run_sync

from tests.browser.inside.plugin_stubs import Markers
from tests.browser.inside.proxies import Proxies
from tests.browser.inside.recorder import Recorder
from tests.browser.inside.skip_native import NativeOnly

PACKAGES = ("ws", "ws_common", "ws_js")
"""The packages whose branch coverage is measured if `WS_COVERAGE` is set."""


def main() -> str | Awaitable[str]:
    """Run the tests that `globalThis.pytestArguments` names.

    A runtime without JSPI cannot wait inside pytest: there the loop waits, around it.
    """
    arguments = [str(argument) for argument in js.pytestArguments]
    run = Run()
    if can_run_sync():
        from tests.browser.inside.async_plugin import Awaiting  # noqa: PLC0415

        code = pytest.main(arguments, plugins=[Awaiting(), *run.plugins])
        return run.results(code)
    from tests.browser.inside.step_runner import run_tests  # noqa: PLC0415

    return run.results_of(run_tests(arguments, run.plugins))


class Run:
    """One run of pytest, with its plugins and their results."""

    def __init__(self) -> None:
        self._recorder = Recorder()
        self._native_only = NativeOnly()
        self.plugins: list[object] = [
            Markers(),
            self._native_only,
            Proxies(),
            self._recorder,
        ]
        self._began = time.monotonic()
        # Before anything of ours is imported.
        self._coverage = _measure() if "WS_COVERAGE" in os.environ else None

    async def results_of(self, code: Awaitable[int]) -> str:
        """Wait for the results, and return them."""
        return self.results(await code)

    def results(self, code: int) -> str:
        """Return the results as JSON."""
        seconds = time.monotonic() - self._began
        return json.dumps(
            {
                "exit_code": int(code),
                "seconds": seconds,
                "tests": list(self._recorder.tests.values()),
                "collection": self._recorder.collection,
                "left_out": self._native_only.left_out,
                "versions": {
                    "Pyodide": pyodide.__version__,
                    "Python": platform.python_version(),
                    "pytest": pytest.__version__,
                },
                "modules": sorted(name for name in sys.modules if name[:2] == "ws"),
                "coverage": _dump(self._coverage),
            }
        )


def _measure() -> Any:
    from coverage import Coverage  # noqa: PLC0415 - only where it is asked for

    # pytest's own `-c /dev/null` has its counterpart: nothing is read from a file.
    coverage = Coverage(
        data_file=None, config_file=False, branch=True, source_pkgs=PACKAGES
    )
    coverage.start()
    return coverage


def _dump(coverage: Any) -> str | None:
    if coverage is None:
        return None
    coverage.stop()
    return base64.b64encode(coverage.get_data().dumps()).decode()
