"""A WebSocket server for tests, in a thread of its own.

Its own thread and loop, so that tests of every kind can use it: those that run on a
loop, those that drive a browser synchronously, and those that stop the clock.
`behaviours.py` lists what it does.

    with Server() as server:
        client = connect(server.urls("/echo"))

By hand: `python -m tests.support.server [port]`.
"""

import asyncio
import contextlib
import ssl as ssl_module
import sys
import threading
from types import TracebackType
from typing import Self

from tests.support.raw_peer import Peer
from tests.support.server_behaviours import Behaviours
from tests.support.urls import Urls

LIFETIME = 120.0
"""Seconds after which a connection is cut: few tests wait longer."""

MAX_CONNECTIONS = 1000


class Server:
    """Serves `Behaviours` until the `with` block is left.

    Args:
        port: 0 for a free one.
        host: The address to listen on.
        ssl: Serves `wss://` with this.
        unix_path: Listens on this socket instead of TCP.
        lifetime: Seconds after which a connection is cut.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        ssl: ssl_module.SSLContext | None = None,
        unix_path: str | None = None,
        lifetime: float = LIFETIME,
    ) -> None:
        self.port = port
        self._lifetime = lifetime
        self._host = host
        self._ssl = ssl
        self._unix_path = unix_path
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.Task[None]] = set()
        self._behaviours = Behaviours()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="test server", daemon=True
        )

    @property
    def urls(self) -> Urls:
        scheme = "ws" if self._ssl is None else "wss"
        host = "localhost" if self._ssl else self._host
        return Urls(f"{scheme}://{host}:{self.port}")

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, job) -> None:
        asyncio.run_coroutine_threadsafe(job, self._loop).result(timeout=10)

    async def _start(self) -> None:
        if self._unix_path is not None:
            self._server = await asyncio.start_unix_server(
                self._serve, self._unix_path, ssl=self._ssl
            )
        else:
            self._server = await asyncio.start_server(
                self._serve, self._host, self.port, ssl=self._ssl
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        # Not `_connections` alone: some are still in the middle of their TLS handshake.
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # what they have aborted is closed in the next turn

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            # Peers vanish in every way a test can think of: that is no error here.
            with contextlib.suppress(OSError, EOFError):
                async with asyncio.timeout(self._lifetime):
                    await self._serve_one(Peer(reader, writer))
                    writer.close()
                    await writer.wait_closed()
        except asyncio.CancelledError:
            pass  # _stop()
        finally:
            writer.transport.abort()
            self._connections.discard(task)

    async def _serve_one(self, peer: Peer) -> None:
        if len(self._connections) <= MAX_CONNECTIONS and await peer.read_request():
            await self._behaviours(peer)


def main() -> None:
    """Serve until Ctrl-C."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    with Server(port) as server, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(f"{server.urls('/echo')}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
