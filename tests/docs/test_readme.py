"""The examples in the README run as they stand, and its quotations are real."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ws
from ws_vm.echo_server import serve_echo

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
ADDRESS = "ws://127.0.0.1:8765"
"""What the examples talk to, and `python -m ws echo` serves; here a free port does."""


@pytest.fixture
async def echo():
    """The address of a server as `python -m ws echo` starts it."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    server = asyncio.ensure_future(serve_echo("127.0.0.1", 0, lines.put_nowait))
    line = await lines.get()
    yield next(word for word in line.split() if word.startswith("ws://"))
    server.cancel()
    await server


async def start(example: str, echo: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-W", "error", "-c", example.replace(ADDRESS, echo)),
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


async def run(example: str, echo: str) -> str:
    """Run an example to its end, and return what it printed."""
    process = await start(example, echo)
    printed, errors = await asyncio.wait_for(process.communicate(), 30)
    assert errors == b""
    assert process.returncode == 0
    return printed.decode()


async def test_first_example(echo):
    """It prints what the server sends back, and goes on."""
    assert ADDRESS in EXAMPLES[0]
    process = await start(EXAMPLES[0], echo)
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"Hello!\n"
    finally:
        process.kill()
        await process.communicate()


async def test_typed_messages(echo):
    """A decoder makes values of messages."""
    assert await run(EXAMPLES[1], echo) == "1.5\n"


async def test_token_and_subscription(echo):
    """Both belong to the attempt and to the connection."""
    printed = await run(EXAMPLES[2], echo)
    first, second = printed.splitlines()
    assert first == "{'subscribe': 'prices'}"
    assert second.endswith("/?token=fresh-for-attempt-1")


async def test_without_a_network(echo):
    """Its assertions hold."""
    assert ADDRESS not in EXAMPLES[3]
    assert await run(EXAMPLES[3], echo) == ""


def test_all_examples_are_run():
    """An example that is added here gets a test too."""
    assert len(EXAMPLES) == 4


def pattern_of(lines: str) -> str:
    """What is the same in every run: not the times, nor the number of the attempt."""
    return re.sub(r"\\?-?\d[\d:]*(\\\.\d+)?", r"\\S+", re.escape(lines))


async def test_what_explain_says(unused_tcp_port):
    """The README quotes what is printed while nobody listens."""
    (quoted,) = re.findall(
        r"^```text\n(Could.*?)^```", README, re.DOTALL | re.MULTILINE
    )
    url = f"ws://127.0.0.1:{unused_tcp_port}"
    waits = ws.ConnectionRetryInterval(min=0.001, max=60, factor=30)
    async with asyncio.timeout(20):
        client = ws.WebSocketClient.start(url, reconnect=waits)
        async for state in client.state_changes.reconnecting:
            if state.attempt == 4:
                break
        said = client.explain()
        await client.close()
    assert re.fullmatch(pattern_of(quoted.strip()), said), said
