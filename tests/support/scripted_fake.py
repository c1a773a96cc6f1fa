"""The public fake in the role of the test server: behaviours by URL path."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from ws.testing import WebSocketClientFake
from ws_common.options.options import WebSocketOptions
from ws_common.options.platform import Platform
from ws_common.vocabulary.messages import Data
from ws_common.wrapped_client import AdapterConnector


class ScriptedFake(WebSocketClientFake):
    """Does what `server_behaviours.py` does, without a network."""

    def __init__(self, options: WebSocketOptions) -> None:
        picked = options.protocols[0] if options.protocols else None
        super().__init__(answer=self._respond, protocol=picked)
        self._later: Callable[[], None] | None = None

    async def connect(self, url: str) -> None:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        if parts.path == "/refuse":
            self.refuse(int(query["status"]))
        await super().connect(url)
        if parts.path.startswith("/greeting"):
            self.loop_back("hello")
            self.loop_back(b"\x00\x01\xfe\xff")
        if parts.path == "/flood":
            size = int(query.get("size", 64))
            for index in range(int(query.get("count", 1000))):
                self.loop_back(f"{index}:".ljust(size, "x"))
        if parts.path in {"/greeting-close", "/close-at-once"}:
            self.drop(int(query.get("code", 1005)), query.get("reason", ""))

    def add_nowait(self, data: Data) -> None:
        super().add_nowait(data)
        later, self._later = self._later, None
        if later is not None:
            later()

    def _respond(self, data: Data) -> Data | None:
        match data:
            case "abort":
                self._later = self.drop
            case "close":
                self._later = lambda: self.drop(1000)
            case str() if data.startswith("close:"):
                _, code, reason = data.split(":")
                self._later = lambda: self.drop(int(code), reason)
            case "ping":
                return "pong"
            case _:
                return data
        return None


def fake_platform(real: Platform) -> Platform:
    """The platform, with the fake in the place of its sockets."""
    return real._replace(
        connector=lambda options: AdapterConnector(ScriptedFake(options))
    )
