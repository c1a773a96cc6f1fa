"""The output of the demo: the terminal, or the elements of the page.

Only the address of the server and the place of the output differ between the two.
"""

import asyncio
import sys

import ws

REFRESH_INTERVAL = 0.1
"""Seconds between two updates of the metrics in the page."""

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
"""The metrics that the page shows. Each is the id of an element in `index.html`."""

# A literal test of `sys.platform`, because type checkers understand it: `pyscript`
# exists only in a page.
if sys.platform == "emscripten":
    from pyscript import document, window

    class _Log:
        """A standard output that appends to the log in the page."""

        def write(self, text: str) -> int:
            document.getElementById("log").append(text)
            return len(text)

        def flush(self) -> None:
            """Do nothing, since `write` does not buffer."""

    # With another sys.stdout, the program can use print() in both places.
    sys.stdout = _Log()

    def get_server_url() -> str:
        """Return the WebSocket endpoint of the server that served this page."""
        # A page from https:// may not open ws:// (mixed content).
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

    def get_server_url() -> str:
        """Return the endpoint from the command line, or the default one."""
        return sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000/ws"

    def _show_state(state: ws.WebSocketClientState) -> None:
        print(f"  [{type(state).__name__}]")

    def _show_metrics(_client: ws.WebSocketClient) -> None:
        """Do nothing, since the program prints the metrics at its end."""


_refresh_tasks: set[asyncio.Task[None]] = set()
"""Keeps the tasks alive: the event loop itself has only weak references to them."""


def watch(client: ws.WebSocketClient) -> None:
    """Show the client's state and metrics until the client is closed."""

    def show(state: ws.WebSocketClientState) -> None:
        # The metrics first, so that they are already current when the state is seen.
        _show_metrics(client)
        _show_state(state)

    show(client.state)
    client.state_changes.listen(show)
    task = asyncio.ensure_future(_refresh(client))
    _refresh_tasks.add(task)
    task.add_done_callback(_refresh_tasks.discard)


async def _refresh(client: ws.WebSocketClient) -> None:
    # No event says that a metric has changed, so the page asks for them regularly.
    while not client.is_closed:
        _show_metrics(client)
        await asyncio.sleep(REFRESH_INTERVAL)
