"""A TCP proxy that causes the faults of a network, on the loop of the test.

    async with TcpProxy(port, down=Direction(after=100, then="rst")) as proxy:
        await connect(f"ws://127.0.0.1:{proxy.port}/echo")

What a `Direction` says holds for each new connection; `inject()` is for those that are
open, `refuse()` and `accept()` for those to come.
"""

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from tests.support.raw_peer import reset

Fault = Literal["fin", "rst", "swallow", "stall"]
"""What becomes of a connection, on both sides at once.

    fin      both are told that the other has nothing more to say
    rst      both are reset
    swallow  half-open: all is taken, nothing is passed on
    stall    nothing is read any more, so that buffers fill
"""

READ_SIZE = 64 * 1024

RATE_INTERVAL = 0.05
"""Seconds. A limited line passes on as much as it carries in that time."""


@dataclass(frozen=True, slots=True)
class Direction:
    """How one direction behaves.

    Attributes:
        delay: Seconds that each piece waits, the next one behind it.
        rate: Bytes per second; None for no limit.
        after: Bytes that are passed on before the fault; None for none.
        then: The fault.
    """

    delay: float = 0.0
    rate: float | None = None
    after: int | None = None
    then: Fault = "fin"


@dataclass(eq=False, slots=True)
class Link:
    """One proxied connection."""

    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    fault: Fault | None = None
    failed: asyncio.Event = field(default_factory=asyncio.Event)

    def inject(self, fault: Fault) -> None:
        """Cause a fault. Only the first one counts."""
        if self.fault is not None:
            return
        self.fault = fault
        self.failed.set()
        for writer in self.writers:
            if fault == "rst":
                reset(writer)
            elif fault == "fin":
                with contextlib.suppress(OSError):
                    writer.write_eof()
            elif fault == "stall":
                with contextlib.suppress(RuntimeError):  # it is closing
                    writer.transport.pause_reading()


class TcpProxy:
    """Passes connections on to `port` of 127.0.0.1 until the `async with` is left.

    Args:
        to: The port of the server.
        up: See the attributes.
        down: See the attributes.
        window: Bytes of a client that the system takes and the proxy has not read;
            None: as many as it likes. A slow line holds little.

    Attributes:
        port: Where it listens.
        up: How what clients send is treated, in connections to come.
        down: How what the server sends is.
        passed: Bytes that were passed on, up and down.
        links: The connections that are open.
        accepted: How many there were.
    """

    def __init__(
        self,
        to: int,
        *,
        up: Direction = Direction(),
        down: Direction = Direction(),
        window: int | None = None,
    ) -> None:
        self.port = 0
        self.up, self.down = up, down
        self.passed = {"up": 0, "down": 0}
        self.links: set[Link] = set()
        self.accepted = 0
        self._to = to
        self._window = window
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._ended = False

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended = True
        self.refuse()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def accept(self) -> None:
        """Listen (again), on the same port."""
        if self._server is None:
            listener = socket.create_server(("127.0.0.1", self.port))
            if self._window is not None:  # what it accepts inherits it
                option = socket.SO_RCVBUF
                listener.setsockopt(socket.SOL_SOCKET, option, self._window)
            self._server = await asyncio.start_server(
                self._serve, sock=listener, backlog=4096
            )
            self.port = listener.getsockname()[1]

    def refuse(self) -> None:
        """Refuse new connections, until `accept()`; open ones go on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def inject(self, fault: Fault) -> None:
        """Cause a fault on every open connection."""
        for link in list(self.links):
            link.inject(fault)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._ended:  # accepted in the very last moment
            writer.transport.abort()
            return
        self._tasks.add(task)
        self.accepted += 1
        link = None
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._to)
            link = Link((writer, far))
            self.links.add(link)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._forward("up", reader, far, self.up, link))
                both.create_task(
                    self._forward("down", far_reader, writer, self.down, link)
                )
        except* (OSError, asyncio.CancelledError):
            pass  # one side is gone, or the proxy ends: asyncio would log it
        finally:
            for open_writer in link.writers if link else (writer,):
                open_writer.transport.abort()
            if link is not None:
                self.links.discard(link)
            self._tasks.discard(task)

    async def _forward(
        self,
        name: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        way: Direction,
        link: Link,
    ) -> None:
        remaining = way.after
        if remaining == 0:
            link.inject(way.then)
        size = READ_SIZE if way.rate is None else max(1, int(way.rate * RATE_INTERVAL))
        while data := await reader.read(min(size, READ_SIZE)):
            await self._delay(way, len(data))
            if link.fault is not None:
                continue
            data = data[:remaining]
            writer.write(data)
            await writer.drain()
            self.passed[name] += len(data)
            if remaining is not None:
                remaining -= len(data)
                if remaining == 0:
                    link.inject(way.then)
        if link.fault is None and not writer.is_closing():
            writer.write_eof()
        elif link.fault in {"swallow", "stall"}:
            await asyncio.Event().wait()  # silence: the end is not passed on either

    @staticmethod
    async def _delay(way: Direction, size: int) -> None:
        seconds = way.delay + (size / way.rate if way.rate else 0.0)
        if seconds:
            await asyncio.sleep(seconds)
