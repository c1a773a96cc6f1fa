"""`python -m ws echo`: an echo server to try a client with."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from errno import errorcode

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


def run(host: str, port: int) -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit status.

    Every client is then sent a Close frame with code 1001 (going away).

    Args:
        host: The address to listen on.
        port: The port; 0 for any that is free.
    """
    try:
        # On Ctrl-C asyncio.run() cancels the server, which closes its connections, and
        # then raises KeyboardInterrupt.
        with suppress(KeyboardInterrupt):
            asyncio.run(serve_echo(host, port, _say))
    except OSError as error:
        number = error.errno or 0
        # The message of asyncio repeats the address. The codes of the resolver are not
        # errno values, so os.strerror() would describe them wrongly.
        reason = os.strerror(number) if number in errorcode else str(error)
        sys.stderr.write(f"ws: cannot listen on {host} port {port}: {reason}\n")
        return 1
    return 0


async def serve_echo(host: str, port: int, say: Callable[[str], None]) -> None:
    """Send back what every client sends, until SIGTERM or until this is cancelled.

    Args:
        host: The address to listen on.
        port: The port; 0 for any that is free.
        say: Called with each line to print: the URL, and who connects and leaves.
    """

    async def echo(connection: ServerConnection) -> None:
        path = connection.request.path if connection.request is not None else ""
        name = connection.id.hex[:6]
        say(f"{name} connected to {path.partition('?')[0]}")
        count = 0
        # An abnormal closure is no error here: the client may have been killed.
        with suppress(ConnectionClosed):
            async for message in connection:
                await connection.send(message)
                count += 1
        say(f"{name} ended with {connection.close_code} after {count} messages")

    async with serve(echo, host, port, max_size=None) as server:
        bound = next(iter(server.sockets)).getsockname()
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        say(f"echoing on ws://{shown}:{bound[1]} - Ctrl-C ends it")
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in one
        # asyncio has no signal handlers on Windows. There only Ctrl-C works.
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        with suppress(asyncio.CancelledError):
            await server.serve_forever()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
