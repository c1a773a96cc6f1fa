"""Connects clients to a hostile server, and records what must not happen."""

import asyncio
import contextlib
import gc
import itertools
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.utils import accept_key

from tests.support.hostile_bytes import Script
from tests.support.raw_peer import reset
from ws import (
    Closed,
    Heartbeat,
    WebSocketClient,
    WebSocketOptions,
    WSError,
    WSNotConnectedError,
)

MAX_SIZE = 64 * 1024

AT_ONCE = 40

OPTIONS = {
    "timeout": 1.0,
    "close_timeout": 0.5,
    "heartbeat": Heartbeat(interval=0.5, timeout=0.5),
    "max_size": MAX_SIZE,
    "proxy": None,
}
DEADLINE = 1.0 + 0.5 + 0.5 + 0.5 + 5.0
"""Seconds: all of these one after the other, and what a busy machine adds."""

_STATM = Path("/proc/self/statm")
_PAGE = 4096


@dataclass
class Findings:
    """The results of a run.

    Attributes:
        outcomes: How often each kind of end was met.
        faults: What must not happen, each with the name of its script.
        played: How many scripts there were.
        grown: Bytes that the process has grown by after the first tenth.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    played: int = 0
    grown: int = 0


class HostileServer:
    """Answers each connection with the script that its path names."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.port = 0
        self._server: asyncio.Server | None = None

    @contextlib.asynccontextmanager
    async def running(self):
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            name = request.split()[1].decode().strip("/")
            await self._play(self.scripts[name], request, reader, writer)
        except (OSError, EOFError, KeyError):
            pass  # the client has gone, or was sent where nothing is
        finally:
            writer.transport.abort()

    @staticmethod
    async def _play(
        script: Script,
        request: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        _, _, rest = request.partition(b"Sec-WebSocket-Key: ")
        accept = accept_key(rest.split(b"\r\n")[0].decode()).encode()
        for piece in script.pieces(accept):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if script.end == "rst":
            reset(writer)
        elif script.end == "fin":
            writer.write_eof()
        while await reader.read(65536):
            pass


async def fuzz(scripts: Iterator[Script], findings: Findings) -> None:
    """Run all scripts."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(
        lambda _loop, context: findings.faults.append(f"loop: {context}")
    )
    watch = _Watch(findings)
    logging.getLogger().addHandler(watch)
    try:
        async with HostileServer().running() as server:
            await _warm_up(server, scripts, findings)
            before = resident()
            workers = [_work(server, scripts, findings) for _ in range(AT_ONCE)]
            await asyncio.gather(*workers)
            gc.collect()
            findings.grown = resident() - before
    finally:
        logging.getLogger().removeHandler(watch)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    findings.faults += [f"left behind: {task}" for task in left if "ws" in repr(task)]


async def _warm_up(
    server: HostileServer, scripts: Iterator[Script], findings: Findings
) -> None:
    await _work(server, itertools.islice(scripts, AT_ONCE), findings)


async def _work(
    server: HostileServer, scripts: Iterator[Script], findings: Findings
) -> None:
    for script in scripts:
        server.scripts[script.name] = script
        url = f"ws://127.0.0.1:{server.port}/{script.name}"
        try:
            async with asyncio.timeout(DEADLINE):
                outcome = await converse(url)
        except TimeoutError:
            outcome = "hang"
            findings.faults.append(f"{script.name}: hangs")
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            outcome = "not ours"
            findings.faults.append(f"{script.name}: {error!r}")
        findings.outcomes[outcome] += 1
        findings.played += 1
        del server.scripts[script.name]


async def converse(url: str) -> str:
    """Connect, echo all messages, and return how the connection ended."""
    client = WebSocketClient(WebSocketOptions.vm(**OPTIONS))
    try:
        await client.connect(url)
        async for message in client:
            assert len(message) <= MAX_SIZE
            # The connection may be over already; the stream says how it ended.
            with contextlib.suppress(WSNotConnectedError):
                await client.add(message)
        outcome = "ended well"
    except WSNotConnectedError as error:
        outcome = error.code
        close_code: Any = getattr(error, "close_code", None)
        outcome += f" {close_code}" if close_code is not None else ""
    except WSError as error:
        raise AssertionError(f"out of place: {error!r}") from error
    finally:
        await client.close()
    assert isinstance(client.state, Closed)
    return outcome


class _Watch(logging.Handler):
    """Counts logged errors as faults, since nothing else shows them."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(logging.ERROR)
        self._findings = findings

    def emit(self, record: logging.LogRecord) -> None:
        self._findings.faults.append(f"logged: {record.getMessage()}")


def resident() -> int:
    """Return the resident memory in bytes; 0 if the system does not report it."""
    return int(_STATM.read_text().split()[1]) * _PAGE if _STATM.exists() else 0
