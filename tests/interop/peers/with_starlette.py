"""Starlette on uvicorn; `python with_starlette.py PORT IMPLEMENTATION`."""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

last_code = 0


async def handle(socket: WebSocket) -> None:
    global last_code  # noqa: PLW0603 - the whole program is about one number
    wanted = "two" if "two" in socket.scope["subprotocols"] else None
    await socket.accept(subprotocol=wanted)
    while (event := await socket.receive())["type"] == "websocket.receive":
        text = event.get("text")
        if text is None:
            await socket.send_bytes(event["bytes"])
            continue
        word, _, rest = text.partition(":")
        if word == "close":
            code, _, reason = rest.partition(":")
            await socket.close(int(code), reason)
            return
        await socket.send_text(str(last_code) if word == "last" else text)
    last_code = event["code"]


app = Starlette(routes=[WebSocketRoute("/", handle)])
uvicorn.run(
    app,
    host="127.0.0.1",
    port=int(sys.argv[1]),
    ws=sys.argv[2],
    timeout_graceful_shutdown=1,
)
