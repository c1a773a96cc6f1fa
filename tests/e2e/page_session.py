"""A page with Pyodide, the packages of this tree and a program, whatever drives it."""

import contextlib
import io
import json
import ssl
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.browser.static_server import Handler
from tools.assets import ensure_node_modules
from tools.common import ROOT

PROGRAM = Path(__file__).with_name("programs") / "survivor.py"
PAGE = "page/index.html"
PACKAGES = ("ws", "ws_common", "ws_js")

PATIENCE = 30.0
"""Seconds to wait for anything in a page."""

START = """async ({ base, program, url, wait }) => {
  const { loadPyodide } = await import(`${base}pyodide/pyodide.mjs`);
  const pyodide = await loadPyodide();
  const answer = await fetch(`${base}archives/src.zip`);
  pyodide.unpackArchive(await answer.arrayBuffer(), "zip", { extractDir: "/src" });
  globalThis.testUrl = url;
  pyodide.runPython("import sys; sys.path.insert(0, '/src')");
  const running = pyodide.runPythonAsync(program);
  if (wait) await running;
}"""

Evaluate = Callable[[str, Any], Any]
"""Calls a JavaScript function in the page with one argument."""


class Living:
    """The program in one page.

    Args:
        evaluate: Reaches into the page.
        base: The URL that the page is served under.
    """

    def __init__(self, evaluate: Evaluate, base: str) -> None:
        self._evaluate = evaluate
        self._base = base

    def start(self, url: str, *, wait: bool = True) -> None:
        """Run the program, which connects to this URL; wait until it has or cannot."""
        program = PROGRAM.read_text(encoding="utf-8")
        config = {"base": self._base, "program": program, "url": url, "wait": wait}
        self._evaluate(START, config)

    def report(self) -> dict[str, Any]:
        """Return the report of the client."""
        return json.loads(self._evaluate("() => globalThis.report()", None))

    def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the report meets a condition, and return it."""
        deadline = time.monotonic() + PATIENCE
        while not condition(report := self.report()):
            assert time.monotonic() < deadline, report
            time.sleep(0.05)
        return report

    def until_open(self, connection: int) -> dict[str, Any]:
        """Wait for the client's first connection, or a later one."""
        return self.until(lambda report: report["connection"] == connection)


def _zip_packages() -> bytes:
    # Not the wheel: it may be built anew by other tests at this very moment.
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for package in PACKAGES:
            for source in sorted((ROOT / "src" / package).rglob("*.py")):
                archive.write(source, source.relative_to(ROOT / "src"))
    return data.getvalue()


@contextlib.contextmanager
def serve(tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve Pyodide, an empty page and our packages; yields the base URL."""
    ensure_node_modules()
    archives = {"src.zip": _zip_packages()}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, archives))
    scheme, host = "http", "127.0.0.1"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme, host = "https", "localhost"
    thread = threading.Thread(target=server.serve_forever, name="page", daemon=True)
    thread.start()
    try:
        yield f"{scheme}://{host}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
