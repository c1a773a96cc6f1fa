"""Chromium, driven by its DevTools protocol where Playwright interferes.

Playwright keeps every page in the state of one that is looked at (focus emulation), so
that no tab is ever hidden, and what is not hidden cannot be frozen. Over the bare
protocol tabs are what they are for people.
"""

import contextlib
import itertools
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

TIMEOUT = 60.0
"""Seconds for one answer."""


class DevToolsError(Exception):
    """Raised if the browser or the page refuses a command."""


class Browser:
    """A browser at the other end of its debugging port."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)

    def send(self, method: str, session: str | None = None, **params: Any) -> Any:
        """Call a method of the protocol, and return its result."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        self._connection.send(json.dumps(message))
        while True:
            answer = json.loads(self._connection.recv(timeout=TIMEOUT))
            if answer.get("id") == number:
                if "error" in answer:
                    raise DevToolsError(answer["error"])
                return answer["result"]

    def open_tab(self, url: str) -> "Tab":
        """Open a tab in front of the others, and wait until it is loaded."""
        target = self.send("Target.createTarget", url=url)["targetId"]
        tab = Tab(self, target)
        deadline = time.monotonic() + TIMEOUT
        while not tab.is_loaded(url):
            assert time.monotonic() < deadline, url
            time.sleep(0.05)
        return tab


class Tab:
    """One tab."""

    def __init__(self, browser: Browser, target: str) -> None:
        self._browser = browser
        self._target = target
        attached = browser.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def is_loaded(self, url: str) -> bool:
        """Whether it shows this page, fully loaded."""
        try:
            shown, state = self.evaluate("() => [location.href, document.readyState]")
        except DevToolsError:  # nothing is there yet
            return False
        return bool(shown == url and state == "complete")

    def evaluate(self, function: str, argument: Any = None) -> Any:
        """Call a JavaScript function in the page."""
        answer = self._browser.send(
            "Runtime.evaluate",
            self._session,
            expression=f"({function})({json.dumps(argument)})",
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in answer:
            raise DevToolsError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def to_front(self) -> None:
        """Show this tab, which hides the others."""
        self._browser.send("Target.activateTarget", targetId=self._target)

    def freeze(self) -> None:
        """Freeze the tab, as Chromium does with hidden ones after five minutes."""
        self._set("frozen")

    def thaw(self) -> None:
        """Unfreeze the tab."""
        self._set("active")

    def _set(self, state: str) -> None:
        self._browser.send("Page.setWebLifecycleState", self._session, state=state)


@contextlib.contextmanager
def start(arguments: dict[str, Any]) -> Iterator[Browser]:
    """Start a browser.

    Args:
        arguments: Of Playwright's `launch()`.
    """
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        subprocess.Popen(  # noqa: S603 - the browser of the configuration
            [
                arguments["executable_path"],
                *arguments["args"],
                "--headless",
                "--remote-debugging-port=0",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        try:
            address = _address(Path(profile) / "DevToolsActivePort")
            with connect(address, max_size=None, compression=None) as connection:
                yield Browser(connection)
        finally:
            process.terminate()


def _address(file: Path) -> str:
    """Read the port and the path that the browser writes to a file."""
    deadline = time.monotonic() + TIMEOUT
    while not file.exists() or len(lines := file.read_text().split()) < 2:
        assert time.monotonic() < deadline, "the browser does not listen"
        time.sleep(0.05)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
