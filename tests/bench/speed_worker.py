"""One contender of the speed benchmark: `python -m tests.bench.speed_worker LIBRARY`.

Each contender has a process of its own, so that several versions of this package can
take part (the first `src` on PYTHONPATH is imported), and so that none uses memory that
another has freed. It reads commands from standard input and writes answers to standard
output, one line of JSON each. Between two commands its event loop does not run.

    {"action": "receive", "url": "ws://...", "count": 1000, "size": 64}
    {"count": 1000, "seconds": 0.003, "cpu": 0.003, "kib": null}

The clock runs from the first message sent to the last one received. Opening and closing
the connection are not measured, except by the action `open`, which measures opening.
"""

import argparse
import asyncio
import gc
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.bench.children import answer, begin

OPENED_AT_ONCE = 16
CLOSED_AT_ONCE = 200

STATM = Path("/proc/self/statm")


@dataclass
class Measured:
    """An answer.

    Attributes:
        count: Messages, or connections.
        seconds: How long they took.
        cpu: Seconds of processor time of this process, user and system.
        kib: Resident memory of each connection, where that can be measured.
    """

    count: int
    seconds: float = 0.0
    cpu: float = 0.0
    kib: float | None = None

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Measure what is done inside."""
        gc.collect()  # of what was done before
        cpu, began = time.process_time(), time.perf_counter()
        yield
        self.seconds = time.perf_counter() - began
        self.cpu = time.process_time() - cpu


class Worker:
    """Carries out commands with one library.

    Args:
        library: A module of `tests.bench.clients`.
    """

    def __init__(self, library: ModuleType) -> None:
        self._library = library

    async def __call__(self, action: str, url: str, **what: Any) -> Measured:
        """Carry out one command."""
        async with self._library.session() as session:
            if action == "open":
                return await self._open(session, url, **what)
            connection = await self._library.connect(url, session)
            measured: Measured = await getattr(self, f"_{action}")(connection, **what)
            await self._library.close(connection)
            return measured

    async def _receive(self, connection: Any, count: int, size: int) -> Measured:
        return await self._flood(self._library.receive, connection, count, size)

    async def _listen(self, connection: Any, count: int, size: int) -> Measured:
        return await self._flood(self._library.listen, connection, count, size)

    async def _flood(
        self, take: Callable[..., Any], connection: Any, count: int, size: int
    ) -> Measured:
        measured = Measured(count)
        with measured.clock():
            await self._library.send(connection, str(count), 1)
            last = await take(connection, count)
        check(len(last) == size, f"a message of {size} bytes", last)
        return measured

    async def _send(self, connection: Any, count: int, size: int) -> Measured:
        measured, message = Measured(count), "x" * size
        with measured.clock():
            await self._library.send(connection, message, count)
            answer = await self._library.receive(connection, 1)
        check(answer == "done", "the answer of the sink", answer)
        return measured

    async def _echo(self, connection: Any, count: int, size: int) -> Measured:
        measured, message = Measured(count), "x" * size
        with measured.clock():
            answer = await self._library.echo(connection, message, count)
        check(answer == message, "an echo", answer)
        return measured

    async def _open(self, session: Any, url: str, count: int) -> Measured:
        measured, connections = Measured(count), list[Any]()

        async def open_some(numbers: Iterator[int]) -> None:
            for _ in numbers:
                connections.append(await self._library.connect(url, session))

        async def open_all(total: int) -> None:
            numbers = iter(range(total))  # shared by all
            await asyncio.gather(*(open_some(numbers) for _ in range(OPENED_AT_ONCE)))

        # These stay open: memory that they free would be used for those measured.
        await open_all(max(OPENED_AT_ONCE, count // 10))
        gc.collect()
        before = resident_kib()
        with measured.clock():
            await open_all(count)
        gc.collect()
        after = resident_kib()
        if before is not None and after is not None:
            measured.kib = (after - before) / count
        for first in range(0, len(connections), CLOSED_AT_ONCE):
            some = connections[first : first + CLOSED_AT_ONCE]
            await asyncio.gather(*map(self._library.close, some))
        return measured


def check(is_expected: bool, expected: str, found: object) -> None:
    """Raise an error if a message is not the expected one."""
    if not is_expected:
        raise AssertionError(f"expected {expected}, and not {found!r:.100}")


def resident_kib() -> float | None:
    """The resident memory of this process; None where there is no /proc."""
    if not STATM.exists():
        return None
    import resource  # noqa: PLC0415 - missing on Windows

    return int(STATM.read_text().split()[1]) * resource.getpagesize() / 1024


def main() -> None:
    """Work until standard input ends."""
    parser = argparse.ArgumentParser(prog="tests.bench.speed_worker")
    parser.add_argument("library")
    parser.add_argument("--loop", default="asyncio")
    asked = parser.parse_args()
    library = importlib.import_module(f"tests.bench.clients.with_{asked.library}")
    worker = Worker(library)
    new_event_loop = importlib.import_module(asked.loop).new_event_loop
    begin({"source": library.SOURCE})
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        for line in sys.stdin:
            answer(asdict(runner.run(worker(**json.loads(line)))))


if __name__ == "__main__":
    main()
