"""Have the browsers of `make test-browsers` that are no Chromium: by apt, where we may.

What cannot be had is no error here: its tests are not run, and say why.
"""

from pathlib import Path

from tools.apt import find_program, install_programs
from tools.common import STAMPS, ToolError

PACKAGES = {
    "firefox": "firefox-esr",
    "WebKitWebDriver": "webkit2gtk-driver",
    "Xvfb": "xvfb",
}
"""Programs, and the packages of Debian that have them."""

ALIASES = {"firefox": ("firefox", "firefox-esr")}

_MINIBROWSER = "*/webkit2gtk-4.*/MiniBrowser"
_LIBRARY_FOLDERS = (Path("/usr/lib"), Path("/usr/libexec"), Path("/usr/lib64"))

_FAILURE_STAMP = STAMPS / "no-engines"


def locate_program(program: str) -> str:
    """The path of a program of `PACKAGES`, or of `MiniBrowser`.

    Raises:
        ToolError: It is not installed, and why it could not be.
    """
    if program == "MiniBrowser":
        path_found = _find_minibrowser()
    else:
        names = ALIASES.get(program, (program,))
        path_found = next(
            (path for name in names if (path := find_program(name))), None
        )
    if path_found is None:
        raise ToolError(f"{program} is not installed{_explain_missing()}")
    return path_found


def ensure_engines() -> None:
    """Install what is missing, unless that failed before."""
    missing = [program for program in PACKAGES if not _is_installed(program)]
    install_programs(missing, PACKAGES, _FAILURE_STAMP)


def _is_installed(program: str) -> bool:
    try:
        locate_program(program)
    except ToolError:
        return False
    return True


def _find_minibrowser() -> str | None:
    nested = (path for root in _LIBRARY_FOLDERS for path in root.glob(_MINIBROWSER))
    direct = (path for root in _LIBRARY_FOLDERS for path in root.glob(_MINIBROWSER[2:]))
    return next((str(path) for path in (*nested, *direct)), None)


def _explain_missing() -> str:
    if _FAILURE_STAMP.exists():
        return ", and could not be installed when that was tried"
    return " (on Debian, `make test-browsers` as root installs it)"


if __name__ == "__main__":
    ensure_engines()
