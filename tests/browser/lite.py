"""A site of JupyterLite with nothing from elsewhere, and our wheel to install."""

import shutil
import sys
import tarfile
from pathlib import Path

from tests.browser import distribution
from tests.browser.bundle import LITE
from tools.assets import build_wheel
from tools.common import BUILD, STAMPS, digest, is_fresh, run, write_stamp

BUILDERS = ("jupyterlite-core==0.8.6", "jupyterlite-pyodide-kernel==0.8.6")
"""The packages have many dependencies, so that they are not in the environment."""

REQUIREMENTS = Path(__file__).with_name("jupyterlite.txt")

HOME = BUILD / "jupyterlite"
_VENV = HOME / "venv"
_PYODIDE = HOME / "pyodide"
_EMPTY = HOME / "empty"
_TARBALL = HOME / "pyodide.tar.bz2"

_BUILD = "from jupyterlite_core.app import main; main()"


def _python() -> Path:
    # JupyterLite looks for the kernel's files in its own environment alone.
    return _VENV / "bin" / "python"


def build() -> None:
    """Have the site in `LITE`.

    Raises:
        ToolError: pip or the build failed.
    """
    _install()
    distribution.make(_PYODIDE, REQUIREMENTS)
    if not _TARBALL.exists() or _TARBALL.stat().st_mtime < _PYODIDE.stat().st_mtime:
        with tarfile.open(_TARBALL, "w:bz2", compresslevel=1) as archive:
            archive.add(_PYODIDE, "pyodide")
    # The site, and what the builder remembers of it.
    for folder in (LITE, _EMPTY):
        shutil.rmtree(folder, ignore_errors=True)
    _EMPTY.mkdir()
    files = ["--pyodide", _TARBALL, "--piplite-wheels", build_wheel()]
    where = ["--output-dir", LITE, "--lite-dir", _EMPTY]
    run(
        [_python(), "-c", _BUILD, "build", "--no-sourcemaps", *files, *where],
        what="build a site of JupyterLite",
        cwd=_EMPTY,
    )


def _install() -> None:
    stamp = STAMPS / "jupyterlite"
    key = digest("\n".join(BUILDERS).encode())
    if is_fresh(stamp, key) and _python().exists():
        return
    shutil.rmtree(_VENV, ignore_errors=True)
    what = "make an environment for JupyterLite"
    run([sys.executable, "-m", "venv", _VENV], what=what)
    run(
        [_python(), "-m", "pip", "install", "--quiet", *BUILDERS],
        what="install JupyterLite",
        hint="Is the network there, and pip's index reachable?",
    )
    write_stamp(stamp, key)
