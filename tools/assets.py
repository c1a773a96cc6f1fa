"""What a page is served: Pyodide and PyScript from npm, and the wheel of this tree."""

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
    """Have the packages of `web-demo/package-lock.json` in the build folder.

    Raises:
        ToolError: There is no npm, or it failed.
    """
    manifests = [WEB_DEMO / "package.json", WEB_DEMO / "package-lock.json"]
    key = digest(*(manifest.read_bytes() for manifest in manifests))
    stamp = STAMPS / "npm"
    if is_fresh(stamp, key) and NODE_MODULES.is_dir():
        return NODE_MODULES
    npm = shutil.which("npm")
    if npm is None:
        raise ToolError(
            "npm is needed to bring Pyodide and PyScript for the page: install "
            "Node.js 20 or newer (on Debian and Ubuntu: apt-get install npm).",
        )
    print_line("Bringing Pyodide and PyScript from npm ...")
    NODE_MODULES.parent.mkdir(parents=True, exist_ok=True)
    for manifest in manifests:
        shutil.copy(manifest, NODE_MODULES.parent)
    run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=NODE_MODULES.parent,
        what="bring the page's assets",
        hint="Is the network there, and npm's registry reachable?",
    )
    write_stamp(stamp, key)
    return NODE_MODULES


def build_wheel() -> Path:
    """Build the wheel of this tree, and return its path.

    Raises:
        ToolError: The build failed.
    """
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
