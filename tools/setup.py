"""Make the virtual environment and install what a task needs: `python -m tools.setup`.

A stamp in the environment holds a key over `pyproject.toml`, so that a second run has
nothing to do. Runs before anything is installed: standard library only.
"""

import argparse
import os
import shutil
import sys
import sysconfig
from pathlib import Path

from tools.common import (
    ROOT,
    ToolError,
    digest,
    is_fresh,
    print_line,
    run,
    run_main,
    write_stamp,
)

PROFILES: dict[str, list[str]] = {
    "demo": ["--editable", ".[demo]", "--group", "build"],
    "demo-check": ["--editable", ".[demo]", "--group", "build", "--group", "browser"],
    "dev": ["--editable", ".[demo,speed]", "--group", "dev"],
}
"""What pip installs for whom. `dev` holds all that the others do."""

PYODIDE_TYPES = "pyodide-py==314.0.7"
"""For the type checkers alone: it says that it needs the Python inside Pyodide, so pip
has to be told not to mind, and it must never be a dependency."""


def get_venv_folder() -> Path:
    """The environment that `make` was told to use, by default `.venv`."""
    return ROOT / os.environ.get("VENV", ".venv")


def get_venv_python() -> Path:
    """The interpreter of that environment."""
    name = "python.exe" if os.name == "nt" else "python"
    scripts = Path(
        sysconfig.get_path("scripts", "venv", {"base": str(get_venv_folder())})
    )
    return scripts / name


def install_profile(profile: str) -> None:
    """Have everything for `profile` installed; returns at once where it is.

    Raises:
        ToolError: Making the environment, or installing into it, failed.
    """
    version = "{}.{}".format(*sys.version_info)
    manifest = (ROOT / "pyproject.toml").read_bytes()
    key = digest(manifest, PYODIDE_TYPES.encode(), version.encode(), str(ROOT).encode())
    stamps = [get_venv_folder() / f".ws-{name}.stamp" for name in (profile, "dev")]
    if any(is_fresh(stamp, key) for stamp in stamps) and get_venv_python().exists():
        return
    _make_venv()
    print_line(f"Installing what `{profile}` needs into {get_venv_folder().name} ...")
    pip = [str(get_venv_python()), "-m", "pip", "install", "--quiet"]
    hint = "Is the network there, and pip's index reachable?"
    # Dependency groups came with pip 25.1; an environment starts with what the
    # interpreter bundles.
    run([*pip, "--upgrade", "pip>=25.1"], what="upgrade pip", hint=hint)
    run([*pip, *PROFILES[profile]], what="install the packages", hint=hint)
    if profile == "dev":
        command = [*pip, "--no-deps", "--ignore-requires-python", PYODIDE_TYPES]
        run(command, what="install Pyodide's types", hint=hint)
    write_stamp(stamps[0], key)


def _make_venv() -> None:
    folder = get_venv_folder()
    if get_venv_python().exists():
        return
    print_line(f"Making the virtual environment {folder.name} ...")
    try:
        run(
            [sys.executable, "-m", "venv", folder],
            what="make a virtual environment",
            hint="On Debian and Ubuntu: apt-get install python3-venv",
        )
    except ToolError:
        # Half of one would be taken for a whole one next time.
        shutil.rmtree(folder, ignore_errors=True)
        raise


def main() -> int:
    """Install the profile that the command line names."""
    parser = argparse.ArgumentParser(prog="tools.setup", description=__doc__)
    parser.add_argument("profile", choices=sorted(PROFILES), nargs="?", default="dev")
    install_profile(parser.parse_args().profile)
    return 0


if __name__ == "__main__":
    sys.exit(run_main(main))
