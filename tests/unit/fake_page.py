"""A client in a page whose JavaScript is `fake_js`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import ws
from tests.support.idle import until_idle
from tests.unit.fake_js import CONNECTING, FakeJs, Socket
from ws_common.options import platform as platforms
from ws_js import PLATFORM
from ws_js.connector import BrowserConnector
from ws_js.page_events import PageEvents

URL = "wss://example.org/chat"


def client_in(js: FakeJs, **options: Any) -> ws.WebSocketClient:
    """Make a client that lives in this page, with options of `WebSocketOptions.js`."""
    page = PLATFORM._replace(
        connector=lambda options: BrowserConnector(options, js.bridge),
        environment_events=lambda: PageEvents(js.bridge),
    )
    platforms.bind(page)
    return ws.WebSocketClient(ws.WebSocketOptions.js(**options))


async def next_socket(js: FakeJs) -> Socket:
    """Return the socket of the attempt that is in progress."""
    await until_idle()
    connecting = [one for one in js.sockets if one.readyState == CONNECTING]
    assert connecting, "no attempt is in progress"
    return connecting[-1]


@contextlib.asynccontextmanager
async def open_client(
    js: FakeJs, **options: Any
) -> AsyncIterator[tuple[ws.WebSocketClient, Socket]]:
    """Open a connection of a client, which the server closes in the end."""
    client = client_in(js, **options)
    try:
        connecting = asyncio.ensure_future(client.connect(URL))
        socket = await next_socket(js)
        socket.play_open()
        await connecting
        yield client, socket
    finally:
        await end(client, js)


async def end(client: ws.WebSocketClient, js: FakeJs) -> None:
    """Close a client, after the server has closed all open sockets."""
    for socket in js.sockets:
        if socket.onclose is not None:
            socket.play_close(1000)
    await client.close()
