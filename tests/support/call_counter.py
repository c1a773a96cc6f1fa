"""Records which of our functions are called."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def calls_of(action: Callable[[], Any]) -> list[str]:
    """Return the functions of this package that `action` calls, in order."""
    names: list[str] = []

    def record(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_globals.get("__name__", "").startswith("ws"):
            names.append(frame.f_code.co_qualname)

    before = sys.getprofile()
    sys.setprofile(record)
    try:
        action()
    finally:
        sys.setprofile(before)
    return names
