"""Run the steps of a check, keep what they said, and close with a table."""

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
"""Seconds. A step that hangs is a failure, and the others are still run."""


@dataclass(frozen=True)
class Step:
    """One thing to check: a command, or a function that raises ToolError."""

    name: str
    group: str
    action: Sequence[str] | Callable[[], str]
    prepare: Callable[[], None] | None = None
    """Raises ToolError where this machine cannot run the step, with the reason."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables for the command, on top of the environment's."""
    exclusive: bool = False
    """Whether it needs the machine to itself, as what measures time does."""


@dataclass
class Outcome:
    """What became of a step."""

    step: Step
    result: Result
    seconds: float
    output: str = field(repr=False)


def make_python_command(*arguments: str) -> list[str]:
    """A command of this environment's interpreter."""
    return [sys.executable, *arguments]


def run_steps(steps: Sequence[Step]) -> list[Outcome]:
    """Run every step, whatever became of the ones before it.

    Those that need not be alone run two at a time, first.
    """
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
    # What a linter says when it is content helps nobody; a function's is worth reading.
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
            # Who has the machine to itself has the terminal too: progress shows.
            stdout=None if step.exclusive else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STEP_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        # Bytes, even where text was asked for.
        output = (error.stdout or b"").decode(errors="replace")
        return "FAILED", f"{output}\ndid not end within {STEP_TIMEOUT:.0f} s"
    return ("ok" if completed.returncode == 0 else "FAILED"), completed.stdout or ""


def format_table(outcomes: Sequence[Outcome]) -> str:
    """The steps, what became of them, and how long they took."""
    width = max(len(outcome.step.name) for outcome in outcomes)
    return "\n".join(
        f"  {outcome.step.name:<{width}}  {outcome.result:<8} {outcome.seconds:6.1f} s"
        for outcome in outcomes
    )
