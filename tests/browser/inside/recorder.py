"""A pytest plugin that records the outcome of each test."""

from typing import Any

import js
import pytest


class Recorder:
    """The plugin.

    Attributes:
        tests: By node id: outcome ("passed", "failed", "skipped"), seconds, report.
        collection: What could not be collected, with its report.
    """

    def __init__(self) -> None:
        self.tests: dict[str, dict[str, Any]] = {}
        self.collection: list[dict[str, str]] = []

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        js.currentTest = nodeid  # for `boot.mjs`, should Pyodide die

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            entry = {"nodeid": report.nodeid, "report": report.longreprtext}
            self.collection.append(entry)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        fresh = {"outcome": "passed", "seconds": 0.0, "report": ""}
        test = self.tests.setdefault(report.nodeid, {"nodeid": report.nodeid, **fresh})
        test["seconds"] += report.duration
        if report.outcome != "passed" and test["outcome"] != "failed":
            test["outcome"] = report.outcome
        if not report.passed:
            test["report"] += f"{report.when}: {_words(report)}\n"


def _words(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):  # the traceback of what is known tells nothing new
        return f"expected to fail: {report.wasxfail}"
    if isinstance(report.longrepr, tuple):  # a skip: file, line, reason
        return str(report.longrepr[2])
    output = "\n".join(f"── {name}\n{text}" for name, text in report.sections)
    return f"{report.longreprtext}\n{output}"
