"""The processes of the speed benchmark, and the order in which they work."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.children import Child
from tests.bench.figures import Case, Run, Runs, next_count, rotated
from tools.common import ROOT, ToolError

WARM_UP = 0.1
"""The part of a run that is done before it and not measured."""


class Contender(NamedTuple):
    """A library, or a version of this package, that is measured.

    Attributes:
        name: Its name in the table.
        library: The module in `tests.bench.clients` that uses it, without "with_".
        src: The folder from which `ws` is imported.
    """

    name: str
    library: str
    src: Path = ROOT / "src"


class Plan(NamedTuple):
    """How much is measured.

    Attributes:
        turns: How often each contender does each case.
        seconds: How long a case should take in each turn.
        clients: How many connections are opened, and kept idle.
        loop: The module that makes the event loops, asyncio or uvloop.
    """

    turns: int
    seconds: float
    clients: int
    loop: str = "asyncio"


class Contest:
    """Runs a process for the server and, anew in each turn, one for each contender.

    Only one contender works at a time; the others wait for their next command.

    Processes of the same code differ in speed by some percent for as long as they
    live, as hash seeds and addresses differ. So none takes part in two turns.

    Args:
        contenders: What is measured.
        plan: How much of it.
    """

    def __init__(self, contenders: Sequence[Contender], plan: Plan) -> None:
        self._contenders = {contender.name: contender for contender in contenders}
        self._plan = plan
        self._workers: dict[str, Child] = {}
        self._server: Child

    def measure(self, cases: Sequence[Case]) -> dict[Case, Runs]:
        """Calibrate every contender for every case, then measure turn by turn."""
        names = list(self._contenders)
        runs: dict[Case, dict[str, list[Run]]]
        runs = {case: {name: [] for name in names} for case in cases}
        command = ["tests.bench.flood_server"]
        with Child("the server", command, env=_environment(ROOT / "src")) as server:
            self._server = server
            _report("calibrating")
            with self._all_workers():
                counts = {
                    (case, name): self._calibrate(case, name)
                    for case in cases
                    for name in names
                }
            for turn in range(self._plan.turns):
                _report(f"turn {turn + 1} of {self._plan.turns}")
                with self._all_workers():
                    for case in cases:
                        for name in rotated(names, turn):
                            run = self._run(case, name, counts[case, name])
                            runs[case][name].append(run)
        return dict(runs)

    @contextmanager
    def _all_workers(self) -> Iterator[None]:
        with ExitStack() as stack:
            for name in self._contenders:
                self._workers[name] = stack.enter_context(self._start(name))
            yield

    def _calibrate(self, case: Case, name: str) -> int:
        if case.is_opening:
            return self._plan.clients
        count, is_certain = case.first, False
        while not is_certain:
            run = self._ask(self._workers[name], case, count)
            count, is_certain = next_count(run, self._plan.seconds)
        return count

    def _run(self, case: Case, name: str, count: int) -> Run:
        if case.is_opening:
            # A process that has freed memory before would not grow.
            with self._start(name) as fresh:
                return self._ask(fresh, case, count)
        worker = self._workers[name]
        self._ask(worker, case, max(1, round(count * WARM_UP)))
        return self._ask(worker, case, count)

    def _ask(self, worker: Child, case: Case, count: int) -> Run:
        _place(worker.pid, self._server.pid, together=case.is_alternating)
        base = f"ws://127.0.0.1:{self._server.hello['port']}"
        return Run(**worker.ask(**case.command(base, count)))

    @contextmanager
    def _start(self, name: str) -> Iterator[Child]:
        _, library, src = self._contenders[name]
        command = ["tests.bench.speed_worker", library, "--loop", self._plan.loop]
        with Child(name, command, env=_environment(src)) as worker:
            source = Path(worker.hello["source"])
            if library == "ws" and not source.is_relative_to(src):
                raise ToolError(f"{name} imports {source} instead of what is in {src}")
            yield worker


def _place(worker: int, server: int, *, together: bool) -> None:
    """Let two processes share one processor, or run on any, where that can be set.

    Left to the system, an echo takes several times as long in some turns as in
    others: waking up a process on another processor takes longer than the echo. A
    flood keeps both busy, and the system knows best which processor is free.
    """
    if sys.platform == "linux":
        processors = sorted(os.sched_getaffinity(0))
        allowed = processors[:1] if together else processors
        for process in (worker, server):
            os.sched_setaffinity(process, allowed)


def _environment(src: Path) -> dict[str, str]:
    """This process's variables, with other sources and without proxies."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy")
    }
    return {**kept, "PYTHONPATH": str(src)}


def _report(progress: str) -> None:
    # Standard output is for the table alone.
    sys.stderr.write(f"{progress} ...\n")
    sys.stderr.flush()
