"""WebKitGTK: its MiniBrowser on a screen of its own, over WebDriver.

Sources: W3C WebDriver; `man Xvfb` (`-displayfd`).
"""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.browser.engines.tab import TIMEOUT
from tools.common import ToolError
from tools.engines import locate_program

STARTUP = 20.0
"""Seconds until the driver listens."""

CALL = """
const [argument, done] = arguments;
(async () => (%s)(argument))().then(
    (value) => done({ value }),
    (error) => done({ error: String(error?.stack ?? error) + String(error) }),
);
"""


@contextlib.contextmanager
def start(folder: Path) -> Iterator["WebKit"]:
    """Run a browser whose files are in `folder`.

    Raises:
        ToolError: It is not installed, or did not start.
    """
    programs = [
        locate_program(name) for name in ("Xvfb", "WebKitWebDriver", "MiniBrowser")
    ]
    xvfb, driver, browser = programs
    with _screen(xvfb) as display:
        port = _free_port()
        environment = {**os.environ, "DISPLAY": display, "HOME": str(folder)}
        with _process([driver, f"--port={port}"], env=environment):
            webkit = WebKit(_listening(port), browser)
            try:
                yield webkit
            finally:
                webkit.quit()


@contextlib.contextmanager
def _screen(xvfb: str) -> Iterator[str]:
    ours, theirs = os.pipe()
    command = [xvfb, "-displayfd", str(theirs), "-nolisten", "tcp"]
    with open(ours, encoding="ascii") as reader, _process(command, pass_fds=[theirs]):  # noqa: PTH123 - no path
        os.close(theirs)
        number = reader.readline().strip()
        if not number:
            raise ToolError("Xvfb did not start")
        yield f":{number}"


@contextlib.contextmanager
def _process(command: Sequence[str], **options: Any) -> Iterator[None]:
    # A group of its own: the browser's processes go with it.
    process = subprocess.Popen(  # noqa: S603 - what `locate` has found
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **options,
    )
    with process:
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _listening(port: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    until = time.monotonic() + STARTUP
    while True:
        try:
            connection.connect()
        except ConnectionRefusedError as error:
            if time.monotonic() > until:
                raise ToolError("WebKitWebDriver does not listen") from error
            time.sleep(0.05)  # nothing tells when it does
        else:
            return connection


class WebKit:
    """A window of it.

    Attributes:
        version: As it tells.
    """

    def __init__(self, connection: http.client.HTTPConnection, browser: str) -> None:
        self._connection = connection
        options = {"binary": browser, "args": ["--automation"]}
        always = {"webkitgtk:browserOptions": options}
        answer = self._ask(
            "POST", "/session", {"capabilities": {"alwaysMatch": always}}
        )
        self._session = f"/session/{answer['sessionId']}"
        self.version = f"WebKitGTK {answer['capabilities']['browserVersion']}"
        limits = {"script": int(TIMEOUT * 1000)}
        self._ask("POST", f"{self._session}/timeouts", limits)

    def goto(self, url: str) -> None:
        self._ask("POST", f"{self._session}/url", {"url": url})

    def evaluate(self, script: str, argument: Any) -> Any:
        answer = self._ask(
            "POST",
            f"{self._session}/execute/async",
            {"script": CALL % script, "args": [argument]},
        )
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["value"]

    def quit(self) -> None:
        """Close the window, which ends the browser."""
        self._ask("DELETE", self._session)
        self._connection.close()

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        text = None if body is None else json.dumps(body)
        self._connection.request(method, path, text)
        response = self._connection.getresponse()
        answer = json.load(response)["value"]
        if response.status != http.client.OK:
            words = re.sub(r"\s+", " ", f"{answer['error']}: {answer['message']}")
            raise AssertionError(f"{path}: {words}")
        return answer
