"""Have the browsers of `make test-browsers` that are no Chromium: by apt, where we may.

What cannot be had is no error here: its tests are not run, and say why.
"""

from pathlib import Path

from tools.apt import ensure, find
from tools.common import STAMPS, ToolError

PACKAGES = {
    "firefox": "firefox-esr",
    "WebKitWebDriver": "webkit2gtk-driver",
    "Xvfb": "xvfb",
}
"""Programs, and the packages of Debian that have them."""

ALIASES = {"firefox": ("firefox", "firefox-esr")}

_MINIBROWSER = "*/webkit2gtk-4.*/MiniBrowser"
_LIBRARIES = (Path("/usr/lib"), Path("/usr/libexec"), Path("/usr/lib64"))

_FAILED = STAMPS / "no-engines"


def locate(program: str) -> str:
    """The path of a program of `PACKAGES`, or of `MiniBrowser`.

    Raises:
        ToolError: It is not installed, and why it could not be.
    """
    if program == "MiniBrowser":
        found = _minibrowser()
    else:
        names = ALIASES.get(program, (program,))
        found = next((path for name in names if (path := find(name))), None)
    if found is None:
        raise ToolError(f"{program} is not installed{_why()}")
    return found


def ensure_engines() -> None:
    """Install what is missing, unless that failed before."""
    missing = [program for program in PACKAGES if not _is_there(program)]
    ensure(missing, PACKAGES, _FAILED)


def _is_there(program: str) -> bool:
    try:
        locate(program)
    except ToolError:
        return False
    return True


def _minibrowser() -> str | None:
    places = (place for root in _LIBRARIES for place in root.glob(_MINIBROWSER))
    direct = (place for root in _LIBRARIES for place in root.glob(_MINIBROWSER[2:]))
    return next((str(place) for place in (*places, *direct)), None)


def _why() -> str:
    if _FAILED.exists():
        return ", and could not be installed when that was tried"
    return " (on Debian, `make test-browsers` as root installs it)"


if __name__ == "__main__":
    ensure_engines()
