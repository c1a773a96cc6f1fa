"""Where in the application something was made, for words that a person can act on."""

import sys
from types import FrameType

_OWN_PACKAGES = ("ws", "ws_common", "ws_js", "ws_vm")


def find_callsite() -> str:
    """The first line outside of this package, as `file.py:12`."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - cheap, on both platforms
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in _OWN_PACKAGES:
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return "an unknown place"
