"""Runs in a page: a client that is to survive what happens to the page.

`report()` is for the test outside: what the client has gone through, as JSON.
"""

import json
from urllib.parse import parse_qsl, urlsplit

import js
from pyodide.ffi import create_proxy

import ws

events = []
settings = dict(parse_qsl(urlsplit(str(js.testUrl)).query))
seconds = float(settings.get("retry", 60))
client = ws.WebSocketClient(
    ws.WebSocketOptions.js(
        connection_retry_interval=ws.ConnectionRetryInterval(min=seconds, max=seconds),
        # So that the page notices a network that is silent.
        heartbeat=ws.Heartbeat(
            interval=0.5,
            timeout=float(settings.get("patience", 1)),
            message="ping",
            is_reply=lambda message: message == "pong",
        ),
        on_event=events.append,
        diagnose="diagnose" in settings,
    ),
)


def report() -> str:
    """The report of what the client has gone through."""
    return json.dumps(
        {
            "state": type(client.state).__name__,
            "connection": getattr(client.state, "connection", None),
            "error": str(getattr(client.state, "error", "")),
            "explained": client.explain(),
            "causes": [entry.cause for entry in client.history],
            "times": [entry.at.timestamp() for entry in client.history],
            "states": [type(entry.state).__name__ for entry in client.history],
            "signals": [
                event.details["event"]
                for event in events
                if event.name == "environment_changed"
            ],
        },
    )


js.report = create_proxy(report)


async def main() -> None:
    """Connect, and stay connected."""
    try:
        await client.connect(str(js.testUrl))
    except ws.WSError as error:
        js.failure = f"{type(error).__name__}: {error}"


ws.run(main())
