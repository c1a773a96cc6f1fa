"""Paths of the project, and functions to run commands and to report failures.

`tools.setup` imports this module before anything is installed, so it uses only the
standard library.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB_DEMO = ROOT / "web-demo"

BUILD = ROOT / "build"
"""Everything that is built or downloaded, except for the virtual environment."""

NODE_MODULES = BUILD / "npm" / "node_modules"
WHEELS = BUILD / "wheel"
STAMPS = BUILD / "stamps"
REPORTS = BUILD / "reports"

_TAIL_LINES = 25
"""How many of the last lines of a failed command's output are shown."""


class ToolError(Exception):
    """A failure that the user can fix. It is shown without a traceback."""


def print_line(message: str) -> None:
    """Print a line immediately."""
    # Python buffers output to a pipe, as in CI. Without the flush, our lines would
    # appear after the output of the subprocesses that were started later.
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
    """Run a command, and return what it printed on stdout and stderr.

    Args:
        command: The program and its arguments.
        what: The purpose of the command, as the end of a sentence "Could not ...".
        hint: What the user can do about a failure.
        cwd: The working directory.
        timeout: Seconds after which the command is killed.
        env: Variables to add to the environment.

    Raises:
        ToolError: The program is missing, failed, or took too long. If it failed, the
            message contains the last lines of its output.
    """
    arguments = [str(argument) for argument in command]
    try:
        completed = subprocess.run(
            arguments,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            # The output is captured, so a question of the program would be invisible.
            # It reads the end of the file instead of waiting for an answer.
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise ToolError(
            _format_failure(what, f"`{arguments[0]}` was not found", hint)
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
    """Return a key that changes when any of the parts changes."""
    # The separator makes a difference between ("ab", "c") and ("a", "bc").
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_fresh(stamp: Path, key: str) -> bool:
    """Return whether the file `stamp` records that the work for `key` is done."""
    # A key over the contents is compared, and not the times of files as make does: git
    # gives every file of a fresh clone or of another branch a new time.
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == key


def write_stamp(stamp: Path, key: str) -> None:
    """Record in the file `stamp` that the work for `key` is done."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key, encoding="utf-8")


def run_main(main: Callable[[], int]) -> int:
    """Run `main`, and return an exit code.

    A ToolError is printed without a traceback, and Ctrl-C ends the program silently.
    """
    try:
        return main()
    except ToolError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as shells report a program that Ctrl-C has ended
