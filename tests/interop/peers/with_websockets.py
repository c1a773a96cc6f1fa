"""The library `websockets` as a server; `python with_websockets.py PORT`."""

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

last_code = 0


async def handle(connection: ServerConnection) -> None:
    global last_code  # noqa: PLW0603 - the whole program is about one number
    try:
        async for message in connection:
            word, _, rest = str(message).partition(":")
            if word == "close":
                code, _, reason = rest.partition(":")
                await connection.close(int(code), reason)
            else:
                await connection.send(str(last_code) if word == "last" else message)
    except ConnectionClosed:
        pass
    last_code = connection.close_code or 0


def pick(
    _connection: ServerConnection, offered: list[Subprotocol]
) -> Subprotocol | None:
    return Subprotocol("two") if "two" in offered else None


async def main() -> None:
    port = int(sys.argv[1])
    # Compression makes what is random larger than the mebibyte that it was.
    limit = 2 * 2**20
    async with serve(
        handle, "127.0.0.1", port, select_subprotocol=pick, max_size=limit
    ) as server:
        await server.serve_forever()


asyncio.run(main())
