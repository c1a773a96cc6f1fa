"""Serves Pyodide, the page and the archives on 127.0.0.1."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from tests.browser.bundle import LITE, PYODIDE, PYSCRIPT
from tests.browser.distribution import MICROPIP

FOLDERS = {
    "lite": LITE,
    "micropip": MICROPIP,
    "page": Path(__file__).with_name("page"),
    "pyodide": PYODIDE,
    "pyscript": PYSCRIPT,
}


class Handler(SimpleHTTPRequestHandler):
    """Serves `FOLDERS` under their names, and `/archives/…` from memory."""

    extensions_map: ClassVar[dict[str, str]] = {
        ".html": "text/html",
        ".json": "application/json",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def __init__(self, archives: Mapping[str, bytes], *args, **kwargs) -> None:
        self._archives = archives
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        _, _, name = self.path.partition("/archives/")
        data = self._archives.get(name)
        if data is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(name))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def translate_path(self, path: str) -> str:
        folder, _, name = path.partition("?")[0].lstrip("/").partition("/")
        root = FOLDERS.get(folder)
        served = root / name if root is not None else Path("/does-not-exist")
        inside = root is not None and served.resolve().is_relative_to(root.resolve())
        return str(served if inside else Path("/does-not-exist"))

    def end_headers(self) -> None:
        # As a page that shares memory with its workers needs them.
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *args: object) -> None:
        """Log nothing."""


@contextlib.contextmanager
def serve(archives: Mapping[str, bytes]) -> Iterator[str]:
    """Serve until the context ends. Yields the base URL, which ends in a slash."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, archives))
    thread = threading.Thread(target=server.serve_forever, name="page", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
