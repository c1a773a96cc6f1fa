"""The programs of `examples/` run as they stand, and the docs show them unchanged."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tools.common import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PAGE = (ROOT / "docs" / "cookbook.md").read_text(encoding="utf-8")
ADDRESS = "ws://127.0.0.1:8765"
MAX_LINES = 15


class Played:
    """A server for one program: it cuts the first connection and says what it saw."""

    def __init__(self) -> None:
        self.connections: list[ServerConnection] = []
        self.received: list[str] = []
        self.codes: list[int | None] = []

    async def __call__(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        symbol = f"S{len(self.connections)}"
        await connection.send(json.dumps({"symbol": symbol, "price": 1.5}))
        async for message in connection:
            self.received.append(str(message))
        self.codes.append(connection.close_code)


def program_of(path: Path, url: str) -> str:
    text = path.read_text(encoding="utf-8")
    assert text.count(ADDRESS) == 1
    return text.replace(ADDRESS, url)


async def lines_of(process: asyncio.subprocess.Process, count: int) -> list[str]:
    assert process.stdout is not None
    return [(await process.stdout.readline()).decode().strip() for _ in range(count)]


@pytest.fixture
async def played():
    """Run a program against a server, lose its first connection, and stop it."""

    async def run(name: str, lines: int) -> tuple[Played, list[str]]:
        server = Played()
        async with serve(server, "127.0.0.1", 0) as listening:
            url = f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
            program = program_of(ROOT / "examples" / name, url)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-u", "-W", "error", "-c", program),
                env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            try:
                said = await lines_of(process, lines)
                server.connections[0].transport.abort()
                said += await lines_of(process, lines)
                process.send_signal(signal.SIGTERM)
                await asyncio.wait_for(process.communicate(), 10)
            finally:
                if process.returncode is None:
                    process.kill()
            assert process.returncode == 143
        return server, said

    return run


async def test_ticker(played):
    """Typed messages, and the next connection goes on."""
    _, said = await played("ticker.py", 1)
    assert said == ["S1 1.50", "S2 1.50"]


async def test_fresh_token(played):
    """Each attempt has a token of its own."""
    server, said = await played("fresh_token.py", 2)
    tokens = {one.request.headers["Authorization"] for one in server.connections}
    assert len(tokens) == len(server.connections) == 2
    assert said[0] == "attempt 1"


async def test_resubscribe(played):
    """Every connection begins with the subscription."""
    server, said = await played("resubscribe.py", 1)
    assert server.received == ['{"subscribe":["BTC","ETH"]}'] * 2
    assert said[1] == "{'symbol': 'S2', 'price': 1.5}"


async def test_graceful_shutdown(played):
    """The last message goes out, and the server is told that the program went away."""
    server, _ = await played("graceful_shutdown.py", 1)
    assert server.received == ["goodbye"]
    assert server.codes[-1] == 1001


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_short_and_in_the_docs(path):
    """At most fifteen lines, and the page shows the file."""
    text = path.read_text(encoding="utf-8")
    assert len([line for line in text.splitlines() if line]) <= MAX_LINES
    assert f"```python\n{text}```" in PAGE


def test_the_page_is_in_the_docs():
    """The page with the badge is shown unchanged, too."""
    text = (ROOT / "examples" / "badge.html").read_text(encoding="utf-8")
    assert f"```html\n{text}```" in PAGE
    python = re.search(r"<script type=\"py\".*?>\n(.*?)</script>", text, re.DOTALL)
    assert python is not None
    assert len([line for line in python[1].splitlines() if line]) <= MAX_LINES
