"""Build what a page loads: Pyodide and PyScript from npm, and our wheel."""

import shutil
import sys
from pathlib import Path

from tools.common import (
    BUILD,
    NODE_MODULES,
    ROOT,
    STAMPS,
    WEB_DEMO,
    WHEELS,
    ToolError,
    digest,
    is_fresh,
    print_line,
    run,
    write_stamp,
)


def ensure_node_modules() -> Path:
    """Install the packages of `web-demo/package-lock.json` into the build folder.

    Returns:
        The folder `node_modules`. If it is up to date, nothing is installed.

    Raises:
        ToolError: npm is not installed, or it failed.
    """
    manifests = [WEB_DEMO / "package.json", WEB_DEMO / "package-lock.json"]
    key = digest(*(manifest.read_bytes() for manifest in manifests))
    stamp = STAMPS / "npm"
    if is_fresh(stamp, key) and NODE_MODULES.is_dir():
        return NODE_MODULES
    npm = shutil.which("npm")
    if npm is None:
        raise ToolError(
            "The page needs Pyodide and PyScript, which npm downloads, and npm is not "
            "installed. Install Node.js 20 or newer (on Debian and Ubuntu: apt-get "
            "install npm).",
        )
    print_line("Downloading Pyodide and PyScript with npm ...")
    NODE_MODULES.parent.mkdir(parents=True, exist_ok=True)
    # npm writes node_modules beside the manifest, so the manifests are copied:
    # everything that is downloaded stays in `build/`, where `make clean` finds it.
    for manifest in manifests:
        shutil.copy(manifest, NODE_MODULES.parent)
    # `npm ci` installs exactly what the lock file pins and checks the hashes. These
    # packages need no install scripts, and running none is safer.
    run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=NODE_MODULES.parent,
        what="install the packages of the page",
        hint="Check that this machine can reach npm's registry.",
    )
    write_stamp(stamp, key)
    return NODE_MODULES


def build_wheel() -> Path:
    """Build a wheel from the working tree, and return its path.

    Raises:
        ToolError: The build failed.
    """
    # Wheels of earlier versions are removed, since their names contain the version and
    # the server of the demo serves whichever wheel it finds here.
    shutil.rmtree(WHEELS, ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", WHEELS],
        cwd=ROOT,
        what="build the wheel",
    )
    (wheel,) = WHEELS.glob("*.whl")
    return wheel


if __name__ == "__main__":
    print_line(str(build_wheel().relative_to(ROOT)))
