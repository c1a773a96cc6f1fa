"""The demo's server: the page, what it needs, and a WebSocket endpoint to talk to.

`/ws` echoes what it is sent, but for three texts: it answers `ping` with `pong`, closes
with 1000 on `close`, and drops the TCP connection on `abort`, as a network does.
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
"""The files of this folder that the page asks for."""

HEADERS = {
    # Without these two a page gets no SharedArrayBuffer, which PyScript needs to let a
    # worker reach the document.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    # A page that was built a moment ago is the one to show.
    "Cache-Control": "no-cache",
}


class HeaderMiddleware:
    """Adds the headers of ISOLATION to every HTTP response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def serve_page(request: Request) -> Response:
    """One of the page's own files."""
    name = request.path_params.get("name", "index.html")
    if name not in SERVED_FILES:
        return Response("Not found", status_code=404)
    return FileResponse(HERE / name)


async def serve_wheel(_request: Request) -> Response:
    """The wheel of this tree, under a name that does not change with its version."""
    wheels = sorted(WHEELS.glob("*.whl"))
    if not wheels:
        return Response("No wheel has been built", status_code=404)
    return FileResponse(wheels[-1], media_type="application/zip")


def make_endpoint(
    abort: Callable[[WebSocket], None],
) -> Callable[[WebSocket], Awaitable[None]]:
    """The endpoint `/ws`; `abort` is how it drops a connection."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        while (message := await websocket.receive())["type"] == "websocket.receive":
            text, data = message.get("text"), message.get("bytes")
            if text == "abort":
                abort(websocket)
            elif text == "close":
                await websocket.close(1000, "as you wish")
            elif text is not None:
                await websocket.send_text("pong" if text == "ping" else text)
            elif data is not None:
                await websocket.send_bytes(data)

    return endpoint


def make_app(abort: Callable[[WebSocket], None]) -> ASGIApp:
    """The application."""
    return HeaderMiddleware(
        Starlette(
            routes=[
                WebSocketRoute("/ws", make_endpoint(abort)),
                Route("/ws.whl", serve_wheel),
                Mount("/npm", StaticFiles(directory=NODE_MODULES, check_dir=False)),
                Route("/", serve_page),
                Route("/{name}", serve_page),
            ],
        ),
    )


def bind_socket(preferred: int) -> socket.socket:
    """A listening socket on the preferred port, or on a free one where it is taken."""
    listener = socket.socket()
    if sys.platform != "win32":  # there it would share a port that is in use
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, preferred))
    except OSError:
        listener.bind((HOST, 0))
    return listener


class DemoServer:
    """uvicorn with our application, and a way to drop a connection."""

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
        # ASGI has no word for this, so the transport is looked up in uvicorn.
        for connection in list(self._uvicorn.server_state.connections):
            client = getattr(connection, "client", None)
            if client == tuple(websocket.scope["client"]):
                connection.transport.abort()

    async def serve(self, listener: socket.socket) -> None:
        """Serve until a signal ends it."""
        await self._uvicorn.serve([listener])


def main() -> None:
    """Serve; the first line printed ends in the URL of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=PREFERRED_PORT)
    listener = bind_socket(parser.parse_args().port)
    # From here on a client that connects waits in the queue, so the URL is good.
    listener.listen(128)
    print(f"Serving on http://{HOST}:{listener.getsockname()[1]}", flush=True)
    # uvicorn raises the signal again after it has ended in good order.
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(DemoServer().serve(listener))


if __name__ == "__main__":
    main()
