"""What came back from a runtime, and how it is told."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Results:
    """One run of pytest inside Pyodide. `inside/main.py` makes it.

    Attributes:
        runtime: Where it ran.
        agent: What the runtime calls itself.
        versions: Of Pyodide, Python and pytest.
        tests: Of each: nodeid, outcome, seconds, report.
        collection: What could not be collected.
        left_out: Files that need what is not there, and what that is.
        modules: The modules of ours that were imported.
        exit_code: pytest's.
    """

    runtime: str
    agent: str
    versions: dict[str, str]
    tests: list[dict[str, Any]]
    collection: list[dict[str, str]]
    left_out: dict[str, str]
    modules: list[str]
    exit_code: int

    @classmethod
    def parse(cls, runtime: str, text: str) -> "Results":
        return cls(runtime=runtime, **json.loads(text))

    @property
    def counts(self) -> Counter[str]:
        return Counter(test["outcome"] for test in self.tests)

    def problems(self) -> str:
        """What went wrong, each test with its traceback; empty where all is well."""
        reports = [
            f"══ {entry['nodeid']}\n{entry['report']}"
            for entry in (*self.collection, *self.tests)
            if entry.get("outcome", "failed") == "failed"
        ]
        if not self.counts["passed"]:
            reports.append("No test passed: was any collected?")
        if self.exit_code and not reports:
            reports.append(f"pytest ended with {self.exit_code}")
        return "\n".join(reports)

    def line(self) -> str:
        """One line of the table."""
        counts = self.counts
        seconds = sum(test["seconds"] for test in self.tests)
        words = [f"{counts[name]:4} {name}" for name in ("passed", "failed", "skipped")]
        return f"{self.runtime:<18}{', '.join(words)} in {seconds:5.1f} s  {self.agent}"

    def left_out_line(self) -> str:
        """What was not even collected, and why; empty where all was."""
        return ", ".join(f"{name} ({why})" for name, why in self.left_out.items())
