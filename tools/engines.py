"""Install Firefox and WebKitGTK for `make test-browsers`, with apt-get.

A browser that cannot be installed is not an error here: its tests are skipped, with the
reason.
"""

from pathlib import Path

from tools.apt import find_program, install_programs
from tools.common import STAMPS, ToolError

PACKAGES = {
    "firefox": "firefox-esr",
    "WebKitWebDriver": "webkit2gtk-driver",
    "Xvfb": "xvfb",
}
"""The package of Debian that contains each program."""

# Debian's package installs `firefox-esr`; Mozilla's own package installs `firefox`.
ALIASES = {"firefox": ("firefox", "firefox-esr")}

# Debian installs MiniBrowser into a folder that is not on PATH, such as
# /usr/lib/x86_64-linux-gnu/webkit2gtk-4.1; Fedora uses /usr/libexec/webkit2gtk-4.1.
_MINIBROWSER = "*/webkit2gtk-4.*/MiniBrowser"
_LIBRARY_FOLDERS = (Path("/usr/lib"), Path("/usr/libexec"), Path("/usr/lib64"))

_FAILURE_STAMP = STAMPS / "no-engines"


def locate_program(program: str) -> str:
    """Return the path of a program.

    Args:
        program: A program in `PACKAGES`, or `MiniBrowser`.

    Raises:
        ToolError: It is not installed. The message says how to install it.
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
    """Install the missing programs, unless that has failed before."""
    missing = [program for program in PACKAGES if not _is_installed(program)]
    install_programs(missing, PACKAGES, _FAILURE_STAMP)


def _is_installed(program: str) -> bool:
    try:
        locate_program(program)
    except ToolError:
        return False
    return True


def _find_minibrowser() -> str | None:
    # Debian has a folder for the architecture between the two, other systems do not.
    nested = (path for root in _LIBRARY_FOLDERS for path in root.glob(_MINIBROWSER))
    direct = (path for root in _LIBRARY_FOLDERS for path in root.glob(_MINIBROWSER[2:]))
    return next((str(path) for path in (*nested, *direct)), None)


def _explain_missing() -> str:
    if _FAILURE_STAMP.exists():
        return "; an earlier attempt to install it with apt-get failed"
    return "; on Debian, `make test-browsers` installs it when run as root"


if __name__ == "__main__":
    ensure_engines()
