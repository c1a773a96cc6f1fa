"""Where the conversation shows itself: the terminal, or the elements of the page.

This is all that differs between the two: where the server is, and where a line goes.
"""

import asyncio
import sys

import ws

REFRESH_INTERVAL = 0.1
"""Seconds between two looks at the metrics."""

METRIC_NAMES = (
    "transferred_count",
    "transferred_size",
    "received_count",
    "received_size",
    "disconnects",
    "reconnects_successful",
    "last_disconnect_code",
    "unconfirmed_count",
)
"""The metrics that have a place in the page, by name."""

if sys.platform == "emscripten":
    from pyscript import document, window

    class _Log:
        """A standard output that ends in the page."""

        def write(self, text: str) -> int:
            document.getElementById("log").append(text)
            return len(text)

        def flush(self) -> None:
            """Nothing is held back."""

    sys.stdout = _Log()

    def server_url() -> str:
        """The endpoint of the server that this page came from."""
        scheme = "wss" if window.location.protocol == "https:" else "ws"
        return f"{scheme}://{window.location.host}/ws"

    def _show_state(state: ws.WebSocketClientState) -> None:
        name = type(state).__name__
        badge = document.getElementById("state")
        badge.textContent = name
        badge.className = name.lower()
        item = document.createElement("li")
        item.textContent = name
        document.getElementById("states").append(item)

    def _show_metrics(client: ws.WebSocketClient) -> None:
        metrics = client.metrics
        for name in METRIC_NAMES:
            value = getattr(metrics, name)
            document.getElementById(name).textContent = str(value)

else:

    def server_url() -> str:
        """The endpoint that the command line names."""
        return sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000/ws"

    def _show_state(state: ws.WebSocketClientState) -> None:
        print(f"  [{type(state).__name__}]")

    def _show_metrics(_client: ws.WebSocketClient) -> None:
        """Nothing: the conversation prints them at its end."""


_refresh_tasks: set[asyncio.Task[None]] = set()
"""The loop holds its tasks weakly."""


def watch(client: ws.WebSocketClient) -> None:
    """Show the client's state and metrics from now on, until it is closed."""

    def show(state: ws.WebSocketClientState) -> None:
        _show_metrics(client)
        _show_state(state)

    show(client.state)
    client.state_changes.listen(show)
    task = asyncio.ensure_future(_refresh(client))
    _refresh_tasks.add(task)
    task.add_done_callback(_refresh_tasks.discard)


async def _refresh(client: ws.WebSocketClient) -> None:
    while not client.is_closed:
        _show_metrics(client)
        await asyncio.sleep(REFRESH_INTERVAL)
