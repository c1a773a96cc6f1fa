"""The runtimes that Pyodide runs in, and how each is told to run the tests."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import playwright
from playwright.sync_api import Page

from tests.browser.bundle import NPM_WS, PYODIDE

TREE = "/home/pyodide/tree"
"""Where the tests are, inside."""

TIMEOUT = 300.0
"""Seconds for all tests in one runtime."""

PAGE = Path(__file__).with_name("page")

Runtime = Callable[[Page, dict[str, Any], Path], str]
"""Takes a page, the configuration of `boot.mjs` and a folder; returns JSON."""


def main_thread(page: Page, config: dict[str, Any], _folder: Path) -> str:
    """Chromium, where the document is."""
    script = "async (config) => (await import('/page/boot.mjs')).run(config)"
    return _evaluate(page, script, config)


def worker(page: Page, config: dict[str, Any], _folder: Path) -> str:
    """Chromium, in a module worker."""
    script = """(config) => new Promise((resolve, reject) => {
        const worker = new Worker("/page/worker.mjs", { type: "module" });
        worker.onerror = (event) => reject(new Error(event.message));
        worker.onmessage = ({ data }) =>
            data.error ? reject(new Error(data.error)) : resolve(data.results);
        worker.postMessage(config);
    })"""
    return _evaluate(page, script, config)


def node(_page: Page, config: dict[str, Any], folder: Path) -> str:
    """The Node.js that comes with Playwright, which has a WebSocket of its own."""
    return _run_node(config, folder)


def node_npm_ws(_page: Page, config: dict[str, Any], folder: Path) -> str:
    """The same with npm's `ws`, as those do whose Node.js has no WebSocket."""
    return _run_node({**config, "websocket": NPM_WS.as_uri()}, folder)


RUNTIMES: dict[str, Runtime] = {
    "chromium": main_thread,
    "chromium-worker": worker,
    "node": node,
    "node-npm-ws": node_npm_ws,
}


NOT_THERE: dict[str, list[str]] = {
    # Node's own WebSocket tells nothing of the peer's Close until TCP ends as well.
    "node": ["tests/contract/test_transport.py::test_send_after_the_peers_close"],
}
"""Tests of what a runtime cannot do, and why."""


def configuration(
    runtime: str, base: str, server: str, archives: list[str], suites: list[str]
) -> dict[str, Any]:
    """What `boot.mjs` is told, for a page."""
    options = ["-c", "/dev/null", "--import-mode=importlib", "--strict-markers"]
    warnings = ["-W", "error", "-p", "no:cacheprovider", "--rootdir", TREE]
    deselected = [f"--deselect={test}" for test in NOT_THERE.get(runtime, [])]
    return {
        "base": base,
        "pyodide": f"{base}pyodide/",
        "archives": archives,
        "env": {"WS_TEST_SERVER": server, "WS_TREE": TREE},
        "args": [
            *options,
            *warnings,
            *deselected,
            *(f"{TREE}/{suite}" for suite in suites),
        ],
    }


def _evaluate(page: Page, script: str, config: dict[str, Any]) -> str:
    page.goto(f"{config['base']}page/index.html")
    return str(page.evaluate(script, config))


def _run_node(config: dict[str, Any], folder: Path) -> str:
    program = Path(playwright.__file__).parent / "driver" / "node"
    files = folder / "config.json", folder / "results.json"
    config = {**config, "pyodide": f"{PYODIDE.as_uri()}/"}
    files[0].write_text(json.dumps(config), encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own program
        [program, PAGE / "node.mjs", *files],
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
