"""Chromium over its own DevTools protocol, with nothing in between.

Playwright has every frame of every WebSocket told to it. That costs more than the frame
itself, so what measures does without.

Source: the Chrome DevTools Protocol.
"""

import contextlib
import itertools
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

from tests.browser.engines.tab import TIMEOUT
from tools.browser import get_playwright_chromium, load_config
from tools.common import ToolError

READY = "DevTools listening on ws://"


@contextlib.contextmanager
def start(folder: Path) -> Iterator["DevTools"]:
    """Run a browser with a fresh profile in `folder`.

    Raises:
        ToolError: It did not start.
    """
    own = get_playwright_chromium()
    arguments = load_config()["launch_arguments"](own)
    flags = ["--headless", "--remote-debugging-port=0", f"--user-data-dir={folder}"]
    with subprocess.Popen(  # noqa: S603 - a browser
        [arguments.get("executable_path", own), *arguments["args"], *flags],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            url = _first_page(_address(process))
            with connect(url, max_size=None, ping_interval=None) as connection:
                yield DevTools(connection)
        finally:
            process.terminate()


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(READY):
            return line.removeprefix(READY).partition("/")[0]
    raise ToolError("Chromium did not start")


def _first_page(address: str) -> str:
    with urlopen(f"http://{address}/json/list", timeout=TIMEOUT) as answer:
        targets = json.load(answer)
    return next(
        str(target["webSocketDebuggerUrl"])
        for target in targets
        if target["type"] == "page"
    )


class DevTools:
    """A page of it.

    Attributes:
        version: As it tells.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count()
        self.version = str(self.send("Browser.getVersion")["product"])

    def goto(self, url: str) -> None:
        self.send("Page.enable")
        self.send("Page.navigate", url=url)
        self._until(lambda answer: answer.get("method") == "Page.loadEventFired")

    def evaluate(self, script: str, argument: Any) -> Any:
        answer = self.send(
            "Runtime.evaluate",
            expression=f"({script})({json.dumps(argument)})",
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in answer:
            raise AssertionError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def send(self, method: str, **parameters: Any) -> Any:
        """Send a command, and wait for its result."""
        identity = next(self._ids)
        command = {"id": identity, "method": method, "params": parameters}
        self._connection.send(json.dumps(command))
        answer = self._until(lambda answer: answer.get("id") == identity)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _until(self, is_it: Any) -> Any:
        while True:
            answer = json.loads(self._connection.recv(timeout=TIMEOUT))
            if is_it(answer):
                return answer
