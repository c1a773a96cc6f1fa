"""Ten thousand clients in one process: `python -m tests.bench.many [--clients N]`.

All connect to one server, the server is killed and started again, all reconnect.
Bare `websockets` connects as many in a process of its own, for comparison. Both
without compression, whose buffers would hide all else.
"""

import argparse
import asyncio
import gc
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from websockets.asyncio.client import connect as bare_connect
from websockets.asyncio.server import ServerConnection, serve

from tests.support.fuzz_run import resident
from tests.support.processes import Running, free_port
from ws import ConnectionRetryInterval, Open, WebSocketClient, WebSocketOptions

AT_ONCE = 200
"""Attempts in progress at the same time, at the start."""

DEADLINE = 300.0


def raise_limit(wanted: int) -> None:
    """Allow this many open files, or exit with a message."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        sys.exit(
            f"{wanted} open files are needed, and {hard} are allowed: fewer --clients"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def serve_on(port: int) -> None:
    """The server: listens, and keeps what it is given."""

    async def hold(connection: ServerConnection) -> None:
        await connection.wait_closed()

    settings = {"ping_interval": None, "compression": None, "backlog": 4096}
    async with serve(hold, "127.0.0.1", port, **settings) as server:
        await server.serve_forever()


class Tally:
    """Records when connections opened."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._seconds: Counter[int] = Counter()
        self.count = 0
        self.last = 0.0

    def opened(self) -> None:
        self.last = time.monotonic() - self._began
        self.count += 1
        self._seconds[int(self.last)] += 1

    def __str__(self) -> str:
        peak = max(self._seconds.values(), default=0)
        return f"{self.count} in {self.last:.1f} s, {peak} in the best second"


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def report_memory(name: str, before: int, count: int) -> None:
    gc.collect()
    each = (resident() - before) / count / 1024
    say(f"  {name}: {each:.1f} KiB per client")


async def run_bare(url: str, count: int) -> None:
    """As many connections of bare websockets."""
    gate, tally, before = asyncio.Semaphore(AT_ONCE), Tally(), resident()

    async def one():
        settings = {"compression": None, "ping_interval": None, "proxy": None}
        async with gate:
            connection = await bare_connect(url, open_timeout=60, **settings)
        tally.opened()
        return connection

    connections = await asyncio.gather(*(one() for _ in range(count)))
    say(f"  connected: {tally}")
    report_memory("memory", before, count)
    for connection in connections:
        connection.transport.abort()


async def run_ours(url: str, count: int, server: Running) -> None:
    """Clients of ours, and a restart."""
    gate, before = asyncio.Semaphore(AT_ONCE), resident()
    tally = Tally()
    options = WebSocketOptions.vm(
        connection_retry_interval=ConnectionRetryInterval(min=0.5, max=15),
        compression=False,
        proxy=None,
    )
    clients = [WebSocketClient(options) for _ in range(count)]

    async def one(client: WebSocketClient) -> None:
        async with gate:
            await client.connect(url)
        tally.opened()

    await asyncio.gather(*(one(client) for client in clients))
    say(f"  connected: {tally}")
    report_memory("memory", before, count)
    tally = Tally()
    again = [asyncio.ensure_future(_reopened(client, tally)) for client in clients]
    await asyncio.sleep(0)  # they have subscribed
    await asyncio.to_thread(server.stop, kill=True)
    await asyncio.to_thread(server.start)
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*again)
    say(f"  reconnected after the restart: {tally}")
    report_memory("memory", before, count)
    await asyncio.gather(*(client.close() for client in clients))
    say("  closed")


async def _reopened(client: WebSocketClient, tally: Tally) -> None:
    async for state in client.state_changes:
        if isinstance(state, Open):
            tally.opened()
            return


def run_one(kind: str, count: int) -> None:
    """One kind of clients, against a server process."""
    raise_limit(count + 1000)
    port = free_port()
    url = f"ws://127.0.0.1:{port}/"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        command = [sys.executable, "-m", "tests.bench.many", "--clients", str(count)]
        serving = [*command, "--serve", str(port)]
        server = stack.enter_context(Running(serving, port, folder / "log"))
        job = run_bare(url, count) if kind == "bare" else run_ours(url, count, server)
        asyncio.run(job)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench.many", description=__doc__)
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=["bare", "ws"], help="one kind alone")
    asked = parser.parse_args()
    if asked.serve is not None:
        raise_limit(asked.clients + 1000)
        asyncio.run(serve_on(asked.serve))
    elif asked.only is not None:
        run_one(asked.only, asked.clients)
    else:
        for kind in ("bare", "ws"):  # each in a fresh process: memory is compared
            say(f"{kind}, {asked.clients} clients:")
            again = [sys.executable, "-m", "tests.bench.many", "--only", kind]
            subprocess.run([*again, "--clients", str(asked.clients)], check=True)  # noqa: S603


if __name__ == "__main__":
    main()
