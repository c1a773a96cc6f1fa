"""Ctrl-C: messages and a Close are still sent, and the program ends at once."""

import asyncio
import contextlib
import ssl

import pytest
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

import ws

LARGE = 12 * 2**20
"""Bytes, more than the operating system takes at once."""


class Witness:
    """A server that records what a client has sent, and how it left.

    Attributes:
        url: Where it is.
        received: The sizes of the messages.
        code: Of the client's Close; 1006 where there was none.
        over: Set once the connection is.
    """

    def __init__(self) -> None:
        self.url = ""
        self.received: list[int] = []
        self.code: int | None = None
        self.over = asyncio.Event()

    async def __call__(self, connection) -> None:
        await connection.send("hello")
        with contextlib.suppress(ConnectionClosed):  # cut off: the code says so
            async for message in connection:
                self.received.append(len(message))
        self.code = connection.close_code
        self.over.set()


@contextlib.asynccontextmanager
async def witnessing(context: ssl.SSLContext | None):
    witness = Witness()
    how = {"max_size": None, "ssl": context}
    async with serve(witness, "127.0.0.1", 0, **how) as server:
        port = server.sockets[0].getsockname()[1]
        scheme = "ws" if context is None else "wss"
        witness.url = f"{scheme}://localhost:{port}/"
        yield witness
        async with asyncio.timeout(2):
            await witness.over.wait()


def run_until_interrupted(
    url: str, sizes: tuple[int, ...], trusting: ssl.SSLContext
) -> None:
    """Run a program whose main task is cancelled, as Ctrl-C does it, to its end."""

    async def main() -> None:
        options = ws.WebSocketOptions.vm(proxy=None, compression=False, ssl=trusting)
        async with ws.connect(url, options) as client:
            await client.recv()
            for size in sizes:
                client.add_nowait(b"x" * size)
            asyncio.current_task().cancel()
            await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())


@pytest.mark.parametrize(
    "sizes", [(), (5, 5), (LARGE,)], ids=["nothing", "a-little", "much"]
)
@pytest.mark.parametrize("tls", [False, True], ids=["ws", "wss"])
async def test_the_peer_is_told(tls, sizes, serving_tls, trusting):
    """The server gets all messages and a Close 1001 before the loop has ended."""
    async with witnessing(serving_tls("localhost") if tls else None) as witness:
        await asyncio.to_thread(run_until_interrupted, witness.url, sizes, trusting)
        async with asyncio.timeout(2):
            await witness.over.wait()
        assert (tuple(witness.received), witness.code) == (sizes, 1001)
