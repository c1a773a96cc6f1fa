"""A client in a page, a worker or Node.js, whose events the tests dispatch.

They are the engine's own, dispatched by the page: only Chromium can be brought to them
from outside, see `tests/e2e`. What an engine, a worker or Node lacks is not run there.
"""

import asyncio

import js
import pytest
from pyodide.ffi import to_js

import ws
from ws_js.pyodide_bridge import PyodideBridge

RETRY = 0.05
FOREVER = 3600


def dispatch(kind: str) -> None:
    """Dispatch an event on all objects that have events of this type."""
    targets = list(PyodideBridge.from_runtime().event_targets(kind))
    if not targets:
        pytest.skip(f"there is no {kind} here")
    if kind in {"pagehide", "pageshow"}:
        init = to_js({"persisted": True}, dict_converter=js.Object.fromEntries)
        event = js.PageTransitionEvent.new(kind, init)
    else:
        event = js.Event.new(kind)
    for target in targets:
        target.dispatchEvent(event)


def causes(client: ws.WebSocketClient) -> list[str]:
    return [change.cause for change in client.history]


@pytest.mark.parametrize(
    ("away", "back", "cause"),
    [
        ("offline", "online", "online"),
        ("pagehide", "pageshow", "page_shown"),
        ("freeze", "resume", "page_resumed"),
    ],
)
async def test_away_and_back(server, away, back, cause):
    """There is no attempt meanwhile, and one at once afterwards."""
    options = ws.WebSocketOptions.js(connection_retry_interval=(RETRY, RETRY))
    async with ws.connect(server("/echo"), options) as client:
        dispatch(away)
        await client.add("abort")
        await client.state_changes.reconnecting.first()
        await asyncio.sleep(10 * RETRY)
        assert isinstance(client.state, ws.Reconnecting)
        dispatch(back)
        await client.state_changes.open.first()
        assert causes(client)[-2:] == [cause, "opened"]
        await client.add("here again")
        assert await client.recv() == "here again"


async def test_back_before_the_next_attempt_is_due(server):
    """A delay that was drawn before the network came back is cut short."""
    options = ws.WebSocketOptions.js(connection_retry_interval=(FOREVER, FOREVER))
    async with ws.connect(server("/echo"), options) as client:
        dispatch("offline")
        await client.add("abort")
        await client.state_changes.reconnecting.first()
        dispatch("online")
        await client.state_changes.open.first()
        assert causes(client)[-2:] == ["online", "opened"]


async def test_looked_at_again(server):
    """A page that becomes visible asks whether the server is still there."""
    heartbeat = ws.Heartbeat(interval=FOREVER, message="ping")
    options = ws.WebSocketOptions.js(heartbeat=heartbeat)
    async with ws.connect(server("/echo"), options) as client:
        dispatch("visibilitychange")
        assert js.document.visibilityState == "visible"
        assert await client.recv() == "pong"
