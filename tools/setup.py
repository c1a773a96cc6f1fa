"""Make the virtual environment and install the packages: `python -m tools.setup`.

A stamp file in the environment contains a hash of `pyproject.toml`, so that a second
run has nothing to do. This module runs before anything is installed, so it uses only
the standard library.
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
"""The arguments of pip for each profile. `dev` includes all other profiles."""

PYODIDE_TYPES = "pyodide-py==314.0.7"
"""The types of Pyodide, for the type checkers.

The package requires the Python version inside Pyodide, which is newer than ours, so pip
has to ignore that requirement. It cannot be listed in `pyproject.toml` for this reason.
"""


def get_venv_folder() -> Path:
    """Return the folder of the virtual environment: `VENV`, by default `.venv`."""
    return ROOT / os.environ.get("VENV", ".venv")


def get_venv_python() -> Path:
    """Return the path of the interpreter in the virtual environment."""
    name = "python.exe" if os.name == "nt" else "python"
    scripts = Path(
        sysconfig.get_path("scripts", "venv", {"base": str(get_venv_folder())})
    )
    return scripts / name


def install_profile(profile: str) -> None:
    """Install the packages of a profile, unless they are installed already.

    Args:
        profile: A key of `PROFILES`.

    Raises:
        ToolError: The environment could not be made, or pip failed.
    """
    version = "{}.{}".format(*sys.version_info)
    manifest = (ROOT / "pyproject.toml").read_bytes()
    # The key contains ROOT because the editable install and the scripts of the
    # environment contain absolute paths, and the version because packages are compiled
    # for it.
    key = digest(manifest, PYODIDE_TYPES.encode(), version.encode(), str(ROOT).encode())
    stamps = [get_venv_folder() / f".ws-{name}.stamp" for name in (profile, "dev")]
    if any(is_fresh(stamp, key) for stamp in stamps) and get_venv_python().exists():
        return
    _make_venv()
    print_line(f"Installing the profile `{profile}` into {get_venv_folder().name} ...")
    pip = [str(get_venv_python()), "-m", "pip", "install", "--quiet"]
    hint = "Check that this machine can reach pip's package index."
    # A new environment contains the pip that the interpreter bundles, which may be
    # older than 25.1, the first version that installs dependency groups.
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
        # On Debian without python3-venv, `venv` makes the interpreter and then fails to
        # install pip. The next run would find the interpreter and use the broken
        # environment.
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
