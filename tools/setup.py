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

from tools.common import ROOT, ToolError, digest, guarded, is_fresh, mark, run, say

PROFILES: dict[str, list[str]] = {
    "demo": ["--editable", ".[demo]", "--group", "build"],
    "demo-check": ["--editable", ".[demo]", "--group", "build", "--group", "browser"],
    "dev": ["--editable", ".[demo,speed]", "--group", "dev"],
}
"""What pip installs for whom. `dev` holds all that the others do."""

PYODIDE_TYPES = "pyodide-py==314.0.7"
"""For the type checkers alone: it says that it needs the Python inside Pyodide, so pip
has to be told not to mind, and it must never be a dependency."""


def venv_dir() -> Path:
    """The environment that `make` was told to use, by default `.venv`."""
    return ROOT / os.environ.get("VENV", ".venv")


def venv_python() -> Path:
    """The interpreter of that environment."""
    name = "python.exe" if os.name == "nt" else "python"
    scripts = Path(sysconfig.get_path("scripts", "venv", {"base": str(venv_dir())}))
    return scripts / name


def install(profile: str) -> None:
    """Have everything for `profile` installed; returns at once where it is.

    Raises:
        ToolError: Making the environment, or installing into it, failed.
    """
    version = "{}.{}".format(*sys.version_info)
    manifest = (ROOT / "pyproject.toml").read_bytes()
    key = digest(manifest, PYODIDE_TYPES.encode(), version.encode(), str(ROOT).encode())
    stamps = [venv_dir() / f".ws-{name}.stamp" for name in (profile, "dev")]
    if any(is_fresh(stamp, key) for stamp in stamps) and venv_python().exists():
        return
    _make_venv()
    say(f"Installing what `{profile}` needs into {venv_dir().name} ...")
    pip = [str(venv_python()), "-m", "pip", "install", "--quiet"]
    hint = "Is the network there, and pip's index reachable?"
    # Dependency groups came with pip 25.1; an environment starts with what the
    # interpreter bundles.
    run([*pip, "--upgrade", "pip>=25.1"], what="upgrade pip", hint=hint)
    run([*pip, *PROFILES[profile]], what="install the packages", hint=hint)
    if profile == "dev":
        types = [*pip, "--no-deps", "--ignore-requires-python", PYODIDE_TYPES]
        run(types, what="install Pyodide's types", hint=hint)
    mark(stamps[0], key)


def _make_venv() -> None:
    where = venv_dir()
    if venv_python().exists():
        return
    say(f"Making the virtual environment {where.name} ...")
    try:
        run(
            [sys.executable, "-m", "venv", where],
            what="make a virtual environment",
            hint="On Debian and Ubuntu: apt-get install python3-venv",
        )
    except ToolError:
        # Half of one would be taken for a whole one next time.
        shutil.rmtree(where, ignore_errors=True)
        raise


def main() -> int:
    """Install the profile that the command line names."""
    parser = argparse.ArgumentParser(prog="tools.setup", description=__doc__)
    parser.add_argument("profile", choices=sorted(PROFILES), nargs="?", default="dev")
    install(parser.parse_args().profile)
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
