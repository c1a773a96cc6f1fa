"""aiohttp as a server; `python with_aiohttp.py PORT`."""

import sys

from aiohttp import WSMsgType, web

last_code = 0


async def handle(request: web.Request) -> web.WebSocketResponse:
    global last_code  # noqa: PLW0603 - the whole program is about one number
    socket = web.WebSocketResponse(protocols=["two"])
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
            continue
        word, _, rest = message.data.partition(":")
        if word == "close":
            code, _, reason = rest.partition(":")
            await socket.close(code=int(code), message=reason.encode())
        else:
            await socket.send_str(str(last_code) if word == "last" else message.data)
    last_code = socket.close_code or 0
    return socket


app = web.Application()
app.add_routes([web.get("/", handle)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), shutdown_timeout=1)
