"""Run the steps of a check, collect their output, and format a table of the results."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from tools.common import ROOT, ToolError, print_line

Result = Literal["ok", "FAILED", "not run"]

STEP_TIMEOUT = 900.0
"""Seconds after which a step is killed and has failed. The other steps still run."""


@dataclass(frozen=True)
class Step:
    """A part of a check: a command, or a function that raises ToolError if it fails."""

    name: str
    group: str
    action: Sequence[str] | Callable[[], str]
    prepare: Callable[[], None] | None = None
    """Runs before the step. It raises ToolError if this machine cannot run the step."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables to add to the environment of the command."""
    exclusive: bool = False
    """Whether no other step may run at the same time, since it measures time."""


@dataclass
class Outcome:
    """The result of a step, with its output."""

    step: Step
    result: Result
    seconds: float
    output: str = field(repr=False)


def make_python_command(*arguments: str) -> list[str]:
    """Make a command that runs the current interpreter."""
    return [sys.executable, *arguments]


def run_steps(steps: Sequence[Step]) -> list[Outcome]:
    """Run every step, also after one has failed.

    The steps that are not exclusive run first, two at a time.
    """
    # Two at a time, because CI has two cores, and pyright and mypy each keep one busy.
    shared = [step for step in steps if not step.exclusive]
    with ThreadPoolExecutor(max_workers=2) as pool:
        outcomes = list(pool.map(_run_and_report, shared))
    return outcomes + [_run_and_report(step) for step in steps if step.exclusive]


def _run_and_report(step: Step) -> Outcome:
    if step.exclusive:
        print_line(f"── {step.name} ...")
    started = time.monotonic()
    result, output = _run_step(step)
    outcome = Outcome(step, result, time.monotonic() - started, output.rstrip())
    heading = f"── {step.name}: {result} ({outcome.seconds:.1f} s) "
    # The output of a successful linter is noise, so it is hidden. The functions return
    # results that are worth reading, such as the coverage and the import times.
    show_output = outcome.output and (result != "ok" or callable(step.action))
    print_line(
        heading.ljust(78, "─") + (f"\n{outcome.output}\n" if show_output else "")
    )
    return outcome


def _run_step(step: Step) -> tuple[Result, str]:
    if step.prepare is not None:
        try:
            step.prepare()
        except ToolError as error:
            return "not run", str(error)
    if callable(step.action):
        try:
            return "ok", step.action()
        except ToolError as error:
            return "FAILED", str(error)
    return _run_command(step.action, step)


def _run_command(command: Sequence[str], step: Step) -> tuple[Result, str]:
    try:
        completed = subprocess.run(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **step.env},
            # An exclusive step, such as pytest, writes directly to the terminal and so
            # shows its progress. The output of others would be mixed up with it.
            stdout=None if step.exclusive else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STEP_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        # `stdout` contains bytes here even with text=True, a known defect of CPython.
        output = (error.stdout or b"").decode(errors="replace")
        return "FAILED", f"{output}\nThe step did not end within {STEP_TIMEOUT:.0f} s."
    return ("ok" if completed.returncode == 0 else "FAILED"), completed.stdout or ""


def format_table(outcomes: Sequence[Outcome]) -> str:
    """Format the steps with their results and durations."""
    width = max(len(outcome.step.name) for outcome in outcomes)
    return "\n".join(
        f"  {outcome.step.name:<{width}}  {outcome.result:<8} {outcome.seconds:6.1f} s"
        for outcome in outcomes
    )
