"""The runtimes that Pyodide runs in, and how each of them runs the tests."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import playwright

from tests.browser.bundle import NPM_WS, PYODIDE
from tests.browser.engines.tab import TIMEOUT, Tab

TREE = "/home/pyodide/tree"
"""The folder of the tests inside Pyodide."""

PAGE = Path(__file__).with_name("page")

IN_PAGE = "async (config) => (await import('/page/boot.mjs')).run(config)"
IN_WORKER = """(config) => new Promise((resolve, reject) => {
    const worker = new Worker("/page/worker.mjs", { type: "module" });
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }) =>
        data.error ? reject(new Error(data.error)) : resolve(data.results);
    worker.postMessage(config);
})"""


CONTRACT = "tests/contract/test_transport.py"

NODE_LACKS = {
    f"{CONTRACT}::test_send_after_the_peers_close": "it tells nothing of the peer's "
    "Close until TCP ends as well",
}
NPM_WS_LACKS = {
    "tests/browser/inside/test_refusals.py::test_a_blocked_port": "it dials every port",
}
FIREFOX_LACKS = {
    f"{CONTRACT}::test_broken_protocol": "a broken frame right behind the 101 ends it "
    "before `open`",
}
SENDING = "tests/contract/test_sending.py"
NO_AMOUNT = "its bufferedAmount is 0 while megabytes wait for a peer that does not read"

WEBKIT_LACKS = {
    f"{CONTRACT}::test_buffered_amount": NO_AMOUNT,
    f"{SENDING}::test_write_limit[real]": NO_AMOUNT,
    f"{SENDING}::test_a_connection_that_dies_while_add_waits[real]": NO_AMOUNT,
    f"{CONTRACT}::test_broken_protocol[/bad-utf8]": "what comes behind broken text is "
    "delivered",
    f"{CONTRACT}::test_server_closes_at_once[query3-1012-neustart f\\xfcr alle]": "a "
    "reason that is not ASCII is taken for a broken frame",
}


@dataclass(frozen=True)
class Runtime:
    """Where tests run.

    Attributes:
        engine: A browser, or Node.
        script: What a page of it is told; in Node the module with its WebSocket.
        everywhere: Whether every `make test` runs it.
        lacks: Tests of what it cannot do, and what that is; they are not run there.
    """

    engine: Literal["chromium", "firefox", "webkit", "node"]
    script: str = ""
    everywhere: bool = False
    lacks: Mapping[str, str] = field(default_factory=dict)


RUNTIMES = {
    "chromium": Runtime("chromium", IN_PAGE, everywhere=True),
    "chromium-worker": Runtime("chromium", IN_WORKER, everywhere=True),
    "firefox": Runtime("firefox", IN_PAGE, lacks=FIREFOX_LACKS),
    "firefox-worker": Runtime("firefox", IN_WORKER, lacks=FIREFOX_LACKS),
    "webkit": Runtime("webkit", IN_PAGE, lacks=WEBKIT_LACKS),
    "webkit-worker": Runtime("webkit", IN_WORKER, lacks=WEBKIT_LACKS),
    "node": Runtime("node", everywhere=True, lacks=NODE_LACKS),
    # As those use it whose Node has none.
    "node-npm-ws": Runtime(
        "node", NPM_WS.as_uri(), everywhere=True, lacks=NPM_WS_LACKS
    ),
}

MEASURED = "chromium"
"""The runtime in which branch coverage is measured."""


def configuration(
    name: str, base: str, server: str, archives: list[str], suites: list[str]
) -> dict[str, Any]:
    """Return the configuration of `boot.mjs` in a page."""
    options = ["-c", "/dev/null", "--import-mode=importlib", "--strict-markers"]
    warnings = ["-W", "error", "-p", "no:cacheprovider", "--rootdir", TREE]
    options += ["--continue-on-collection-errors", "--tb=short"]
    deselected = [f"--deselect={test}" for test in RUNTIMES[name].lacks]
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
    """Run the tests in a browser, and return the results as JSON."""
    tab.goto(f"{config['base']}page/index.html")
    return str(tab.evaluate(script, config))


NODE = Path(playwright.__file__).parent / "driver" / "node"
"""The Node.js that comes with Playwright, which has a WebSocket of its own."""


def node_version() -> str:
    """Return the version of that Node.js."""
    done = subprocess.run([NODE, "--version"], stdout=subprocess.PIPE, check=True)  # noqa: S603 - Playwright's
    return f"Node.js {done.stdout.decode().strip().removeprefix('v')}"


def run_in_node(websocket: str, config: dict[str, Any], folder: Path) -> str:
    """Run the tests in Node.js, and return the results as JSON.

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
