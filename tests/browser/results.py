"""The results of a run in one runtime, and how they are printed."""

import base64
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coverage import CoverageData

from tests.browser.runtimes import RUNTIMES
from tools.common import ROOT

COVERAGE = ROOT / ".cache" / "coverage"
"""The data file of the native run. Those of pages are beside it, with a suffix."""


@dataclass(frozen=True)
class Results:
    """One run of pytest inside Pyodide. `inside/main.py` makes it.

    Attributes:
        runtime: Where it ran.
        version: The name and version of the browser.
        seconds: How long it took, from pytest's start to its end.
        versions: Of Pyodide, Python and pytest.
        tests: Of each: nodeid, outcome, seconds, report.
        collection: What could not be collected.
        left_out: Files that need what is not there, and what that is.
        modules: The modules of ours that were imported.
        exit_code: pytest's.
        coverage: What was measured, if anything, as `CoverageData.dumps` has it.
    """

    runtime: str
    version: str
    seconds: float
    versions: dict[str, str]
    tests: list[dict[str, Any]]
    collection: list[dict[str, str]]
    left_out: dict[str, str]
    modules: list[str]
    exit_code: int
    coverage: str | None = field(repr=False)

    @classmethod
    def parse(cls, runtime: str, version: str, text: str) -> "Results":
        return cls(runtime=runtime, version=version, **json.loads(text))

    @property
    def counts(self) -> Counter[str]:
        return Counter(test["outcome"] for test in self.tests)

    def problems(self) -> str:
        """All failures with their tracebacks; empty if there are none."""
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

    def keep_coverage(self) -> None:
        """Write the coverage data where `coverage combine` finds them."""
        if self.coverage is None:
            return
        path = COVERAGE.with_name(f"{COVERAGE.name}.{self.runtime}")
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        data = CoverageData(str(path))
        data.loads(base64.b64decode(self.coverage))
        data.close()

    def not_run(self) -> Iterator[str]:
        """Iterate over the tests that were not run, with the reasons."""
        for name, why in self.left_out.items():
            yield f"not collected: {name}: {why} is not there"
        for test, why in RUNTIMES[self.runtime].lacks.items():
            file, _, name = test.partition("::")
            yield f"not run: {Path(file).name}::{name}: {why}"
        skipped = Counter(
            (test["nodeid"].partition("::")[0], test["report"].strip())
            for test in self.tests
            if test["outcome"] == "skipped"
        )
        for (name, why), count in skipped.items():
            yield f"skipped: {count} of {name}: {why}"

    def line(self) -> str:
        """Return one line of the table."""
        counts = [f"{self.counts[name]:8}" for name in ("passed", "failed", "skipped")]
        where = f"{self.runtime:<17} {self.version:<24}"
        return f"{where}{''.join(counts)}{self.seconds:8.1f} s"


def table_of(results: Sequence[Results]) -> str:
    """Format what ran where, what did not run, and why."""
    titles = "".join(f"{name:>8}" for name in ("passed", "failed", "skipped"))
    lines = [f"{'runtime':<17} {'version':<24}{titles}{'time':>10}"]
    lines += [result.line() for result in results]
    versions = ", ".join(f"{name} {of}" for name, of in results[0].versions.items())
    lines.append(f"everywhere: {versions}")
    where: dict[str, list[str]] = {}
    for result in results:
        for words in result.not_run():
            where.setdefault(words, []).append(result.runtime)
    for words, runtimes in sorted(where.items()):
        everywhere = len(runtimes) == len(results)
        lines.append(words if everywhere else f"{words} [{', '.join(runtimes)}]")
    return "\n".join(lines)
