"""The runtimes that Pyodide runs in, and how each is told to run the tests."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import playwright

from tests.browser.bundle import NPM_WS, PYODIDE
from tests.browser.engines.tab import TIMEOUT, Tab

TREE = "/home/pyodide/tree"
"""Where the tests are, inside."""

PAGE = Path(__file__).with_name("page")

IN_PAGE = "async (config) => (await import('/page/boot.mjs')).run(config)"
IN_WORKER = """(config) => new Promise((resolve, reject) => {
    const worker = new Worker("/page/worker.mjs", { type: "module" });
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }) =>
        data.error ? reject(new Error(data.error)) : resolve(data.results);
    worker.postMessage(config);
})"""


@dataclass(frozen=True)
class Runtime:
    """Where tests run.

    Attributes:
        engine: A browser, or Node.
        script: What a page of it is told; in Node the module with its WebSocket.
        everywhere: Whether every `make test` runs it.
        deselected: Tests of what it cannot do.
    """

    engine: Literal["chromium", "firefox", "webkit", "node"]
    script: str = ""
    everywhere: bool = False
    deselected: tuple[str, ...] = ()


NO_CLOSE_FRAME = "tests/contract/test_transport.py::test_send_after_the_peers_close"
"""Node's own WebSocket tells nothing of the peer's Close until TCP ends as well."""

RUNTIMES = {
    "chromium": Runtime("chromium", IN_PAGE, everywhere=True),
    "chromium-worker": Runtime("chromium", IN_WORKER, everywhere=True),
    "firefox": Runtime("firefox", IN_PAGE),
    "firefox-worker": Runtime("firefox", IN_WORKER),
    "webkit": Runtime("webkit", IN_PAGE),
    "webkit-worker": Runtime("webkit", IN_WORKER),
    "node": Runtime("node", everywhere=True, deselected=(NO_CLOSE_FRAME,)),
    # As those use it whose Node has none.
    "node-npm-ws": Runtime("node", NPM_WS.as_uri(), everywhere=True),
}

MEASURED = "chromium"
"""Where branch coverage is measured."""


def configuration(
    name: str, base: str, server: str, archives: list[str], suites: list[str]
) -> dict[str, Any]:
    """What `boot.mjs` is told, for a page."""
    options = ["-c", "/dev/null", "--import-mode=importlib", "--strict-markers"]
    warnings = ["-W", "error", "-p", "no:cacheprovider", "--rootdir", TREE]
    options += ["--continue-on-collection-errors", "--tb=short"]
    deselected = [f"--deselect={test}" for test in RUNTIMES[name].deselected]
    environment = {"WS_TEST_SERVER": server, "WS_TREE": TREE}
    if name == MEASURED:
        environment["WS_COVERAGE"] = "1"
    return {
        "base": base,
        "pyodide": f"{base}pyodide/",
        "archives": archives,
        "env": environment,
        "args": [
            *options,
            *warnings,
            *deselected,
            *(f"{TREE}/{suite}" for suite in suites),
        ],
    }


def run_in_tab(tab: Tab, script: str, config: dict[str, Any]) -> str:
    """Run the tests in a browser; returns JSON."""
    tab.goto(f"{config['base']}page/index.html")
    return str(tab.evaluate(script, config))


NODE = Path(playwright.__file__).parent / "driver" / "node"
"""The Node.js that comes with Playwright, which has a WebSocket of its own."""


def node_version() -> str:
    """As it tells."""
    done = subprocess.run([NODE, "--version"], stdout=subprocess.PIPE, check=True)  # noqa: S603 - Playwright's
    return f"Node.js {done.stdout.decode().strip().removeprefix('v')}"


def run_in_node(websocket: str, config: dict[str, Any], folder: Path) -> str:
    """Run the tests in Node.js; returns JSON.

    Args:
        websocket: The URL of a module that has a `WebSocket`, or nothing for its own.
        config: What `boot.mjs` is told.
        folder: For files.
    """
    files = folder / "config.json", folder / "results.json"
    config = {**config, "websocket": websocket, "pyodide": f"{PYODIDE.as_uri()}/"}
    files[0].write_text(json.dumps(config), encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own program
        [NODE, PAGE / "node.mjs", *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    sys.stdout.write(done.stdout)
    if done.returncode or not files[1].exists():
        raise AssertionError(f"Node ended with {done.returncode}")
    return files[1].read_text(encoding="utf-8")
