"""The server of the demo: the page with its files, and a WebSocket endpoint.

`/ws` echoes every message except for three texts: it answers `ping` with `pong`, it
closes with 1000 on `close`, and on `abort` it drops the TCP connection as a broken
network would.
"""

import argparse
import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

HERE = Path(__file__).resolve().parent
NODE_MODULES = HERE.parent / "build" / "npm" / "node_modules"
WHEELS = HERE.parent / "build" / "wheel"

HOST = "127.0.0.1"
PREFERRED_PORT = 8000

SERVED_FILES = {
    "conversation.py",
    "display.py",
    "index.html",
    "pyscript.json",
    "style.css",
}
"""The files of this folder that the server delivers.

They are listed, so that nobody can read other files, such as the server's source.
"""

HEADERS = {
    # Browsers give a page SharedArrayBuffer only if both of these headers are set.
    # PyScript needs it for workers that access the document.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    # The wheel changes with every build under the same URL, so the browser has to ask
    # whether its copy is still current.
    "Cache-Control": "no-cache",
}


class HeaderMiddleware:
    """Adds HEADERS to every HTTP response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or one WebSocket connection."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def serve_page(request: Request) -> Response:
    """Return one of the files in `SERVED_FILES`."""
    name = request.path_params.get("name", "index.html")
    if name not in SERVED_FILES:
        return Response("Not found", status_code=404)
    return FileResponse(HERE / name)


async def serve_wheel(_request: Request) -> Response:
    """Return the wheel, under a name that does not depend on its version."""
    wheels = sorted(WHEELS.glob("*.whl"))
    if not wheels:
        return Response(
            "The wheel has not been built. Run: make wheel", status_code=404
        )
    return FileResponse(wheels[-1], media_type="application/zip")


def make_endpoint(
    abort: Callable[[WebSocket], None],
) -> Callable[[WebSocket], Awaitable[None]]:
    """Make the endpoint `/ws`.

    Args:
        abort: Drops the TCP connection of a WebSocket.
    """

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        while (message := await websocket.receive())["type"] == "websocket.receive":
            text, data = message.get("text"), message.get("bytes")
            if text == "abort":
                abort(websocket)
            elif text == "close":
                await websocket.close(1000, "requested by the client")
            elif text is not None:
                await websocket.send_text("pong" if text == "ping" else text)
            elif data is not None:
                await websocket.send_bytes(data)

    return endpoint


def make_app(abort: Callable[[WebSocket], None]) -> ASGIApp:
    """Make the ASGI application.

    Args:
        abort: Drops the TCP connection of a WebSocket.
    """
    return HeaderMiddleware(
        Starlette(
            routes=[
                WebSocketRoute("/ws", make_endpoint(abort)),
                Route("/ws.whl", serve_wheel),
                # The folder may be missing: tests of the endpoint alone do not need it.
                Mount("/npm", StaticFiles(directory=NODE_MODULES, check_dir=False)),
                Route("/", serve_page),
                Route("/{name}", serve_page),
            ],
        ),
    )


def bind_socket(preferred: int) -> socket.socket:
    """Bind a socket to the preferred port, or to a free one if that port is in use."""
    listener = socket.socket()
    # SO_REUSEADDR allows to bind again while old connections are in TIME_WAIT. On
    # Windows it has another meaning: two servers could listen on the same port.
    if sys.platform != "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, preferred))
    except OSError:
        listener.bind((HOST, 0))
    return listener


class DemoServer:
    """A uvicorn server with our application, which can drop connections."""

    def __init__(self) -> None:
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                make_app(self._abort),
                ws="websockets-sansio",
                log_level="warning",
                timeout_graceful_shutdown=1,
            ),
        )

    def _abort(self, websocket: WebSocket) -> None:
        # ASGI has no message to drop a connection without a closing handshake, so the
        # transport is found among uvicorn's connections by the address of the client.
        for connection in list(self._uvicorn.server_state.connections):
            client = getattr(connection, "client", None)
            if client == tuple(websocket.scope["client"]):
                connection.transport.abort()

    async def serve(self, listener: socket.socket) -> None:
        """Serve until the process gets SIGINT or SIGTERM."""
        await self._uvicorn.serve([listener])


def main() -> None:
    """Run the server. The first line of its output ends with the URL of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=PREFERRED_PORT)
    listener = bind_socket(parser.parse_args().port)
    # The socket listens before the URL is printed. Clients that connect before uvicorn
    # has started wait in the queue of the kernel, so the reader of the line need not
    # retry.
    listener.listen(128)
    print(f"Serving on http://{HOST}:{listener.getsockname()[1]}", flush=True)
    # After a clean shutdown uvicorn raises the signal again, which would print a
    # traceback.
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(DemoServer().serve(listener))


if __name__ == "__main__":
    main()
