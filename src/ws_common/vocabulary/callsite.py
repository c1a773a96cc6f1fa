"""Finds the line of the application that created an object.

Warnings about a subscriber that is not read, or about a client that was never closed,
name that line: without it nobody can tell which of a hundred clients is meant.
"""

import sys
from types import FrameType

_OWN_PACKAGES = ("ws", "ws_common", "ws_js", "ws_vm")


def find_callsite() -> str:
    """Return the innermost line outside of this package, as `file.py:12`."""
    # `traceback.extract_stack()` would do the same, but it reads source lines from
    # disk, and this runs for every client and every subscriber. `_getframe` exists in
    # CPython and in Pyodide, the only interpreters that this package supports.
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - see above
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in _OWN_PACKAGES:
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return "an unknown place"
