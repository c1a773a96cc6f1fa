"""Firefox, over WebDriver BiDi, which it speaks on its own debugging port.

Sources: W3C WebDriver BiDi; Firefox's "Remote Protocols".
"""

import contextlib
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.browser.engines.tab import TIMEOUT
from tools.common import ToolError
from tools.engines import locate_program

READY = "WebDriver BiDi listening on "

PREFERENCES = {
    "app.update.enabled": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    # Else a server that is often refused is asked ever more rarely, up to a minute.
    "network.websocket.delay-failed-reconnects": False,
    "remote.active-protocols": 1,
}
"""Preferences: WebDriver BiDi, no requests to other servers, no delays."""


@contextlib.contextmanager
def start(folder: Path) -> Iterator["Firefox"]:
    """Run a browser with a fresh profile in `folder`.

    Raises:
        ToolError: It is not installed, or did not start.
    """
    program = locate_program("firefox")
    lines = (
        f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
        for name, value in PREFERENCES.items()
    )
    (folder / "user.js").write_text("".join(lines), encoding="utf-8")
    options = ["--headless", "--no-remote", "--profile", folder]
    log = folder / "output.txt"
    with (
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(  # noqa: S603 - a browser
            [program, *options, "--remote-debugging-port", "0"],
            stdout=errors,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            with connect(f"{_address(process)}/session", max_size=None) as connection:
                yield Firefox(connection)
        finally:
            process.terminate()


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        if line.startswith(READY):
            return line.removeprefix(READY).strip()
        said += line
    raise ToolError(f"Firefox did not start: {said[-500:]}")


class Firefox:
    """A tab of it.

    Attributes:
        version: As it tells.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count()
        capabilities = self._command("session.new", capabilities={})["capabilities"]
        self.version = f"Firefox {capabilities['browserVersion']}"
        (first, *_) = self._command("browsingContext.getTree")["contexts"]
        self._context = first["context"]
        self._command("session.subscribe", events=["log.entryAdded"])

    def goto(self, url: str) -> None:
        self._command(
            "browsingContext.navigate", context=self._context, url=url, wait="complete"
        )

    def evaluate(self, script: str, argument: Any) -> Any:
        answer = self._command(
            "script.callFunction",
            functionDeclaration=f"async (json) => JSON.stringify("
            f"await ({script})(JSON.parse(json)) ?? null)",
            arguments=[{"type": "string", "value": json.dumps(argument)}],
            target={"context": self._context},
            awaitPromise=True,
        )
        if answer["type"] != "success":
            raise AssertionError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def _command(self, method: str, **parameters: Any) -> Any:
        identity = next(self._ids)
        command = {"id": identity, "method": method, "params": parameters}
        self._connection.send(json.dumps(command))
        while True:
            answer = json.loads(self._connection.recv(timeout=TIMEOUT))
            if answer.get("id") == identity:
                break
            if answer.get("method") == "log.entryAdded":
                sys.stdout.write(f"{answer['params']['text']}\n")
        if answer["type"] == "error":
            raise AssertionError(f"{method}: {answer['error']}: {answer['message']}")
        return answer["result"]
