"""Where things are, how commands are run, and how a person is told what went wrong."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB_DEMO = ROOT / "web-demo"

BUILD = ROOT / "build"
"""Everything that is made or downloaded, but for the virtual environment."""

NODE_MODULES = BUILD / "npm" / "node_modules"
WHEELS = BUILD / "wheel"
STAMPS = BUILD / "stamps"
REPORTS = BUILD / "reports"

_TAIL_LINES = 25


class ToolError(Exception):
    """Something that a person can put right; shown without a traceback."""


def print_line(message: str) -> None:
    """Print a line now, whatever the output is connected to."""
    print(message, flush=True)


def run(
    command: Sequence[str | Path],
    *,
    what: str,
    hint: str = "",
    cwd: Path = ROOT,
    timeout: float = 900.0,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a command that should succeed, and return what it printed.

    Args:
        command: The program and its arguments.
        what: What this is for, in words that end the sentence "could not ...".
        hint: What a person may do about a failure.
        cwd: Where to run it.
        timeout: Seconds after which it is ended.
        env: Variables on top of the environment's.

    Raises:
        ToolError: It is not there, failed, or took too long; with its last lines.
    """
    arguments = [str(argument) for argument in command]
    try:
        completed = subprocess.run(
            arguments,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise ToolError(
            _format_failure(what, f"there is no `{arguments[0]}`", hint)
        ) from error
    except subprocess.TimeoutExpired as error:
        reason = f"`{arguments[0]}` did not end within {timeout:.0f} s"
        raise ToolError(_format_failure(what, reason, hint)) from error
    if completed.returncode:
        tail = "\n".join(completed.stdout.rstrip().splitlines()[-_TAIL_LINES:])
        reason = f"`{' '.join(arguments)}` exited with {completed.returncode}:\n{tail}"
        raise ToolError(_format_failure(what, reason, hint))
    return completed.stdout


def _format_failure(what: str, reason: str, hint: str) -> str:
    return f"Could not {what}: {reason}" + (f"\n{hint}" if hint else "")


def digest(*parts: bytes) -> str:
    """A key that changes when any of the parts does."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_fresh(stamp: Path, key: str) -> bool:
    """Whether `stamp` says that the work for `key` is done."""
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == key


def write_stamp(stamp: Path, key: str) -> None:
    """Write down that the work for `key` is done."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key, encoding="utf-8")


def run_main(main: Callable[[], int]) -> int:
    """Run `main`; tell a ToolError as a sentence, and end quietly on Ctrl-C."""
    try:
        return main()
    except ToolError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
