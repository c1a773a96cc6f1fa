"""The program of the demo. CPython runs it in a terminal, and PyScript in a page.

It exchanges messages with an echo server, loses its connection, reconnects by itself,
continues, and prints the client's metrics. It contains nothing that depends on where it
runs.
"""

import json

import display

import ws

# Short delays, since a person watches the reconnection.
OPTIONS = ws.WebSocketOptions.common(
    connection_retry_interval=ws.ConnectionRetryInterval(min=0.1, max=1.0),
)


async def exchange(client: ws.WebSocketClient, message: str | bytes) -> str | bytes:
    """Send a message, wait for the answer, and print both."""
    print(f"→ {message!r}")
    await client.add(message)
    answer = await client.recv()
    print(f"← {answer!r}")
    return answer


async def main() -> None:
    """Exchange messages, lose the connection, and continue on the next one."""
    async with ws.connect(display.get_server_url(), OPTIONS) as client:
        display.watch(client)
        print(f"Connected, on platform {ws.PLATFORM!r}.")

        await exchange(client, "Hello, wörld ✓")
        await exchange(client, bytes(range(8)))
        order = {"id": 7, "what": ["tea", "milk"], "paid": False}
        answer = json.loads(await exchange(client, json.dumps(order)))
        print(f"  as JSON: {answer['what']}")
        await exchange(client, "ping")

        # The server drops the TCP connection without a closing handshake. The
        # subscription comes before the request, so that the next `Open` cannot be
        # missed.
        print("Asking the server to drop the connection ...")
        opened = client.state_changes.open.subscribe()
        await client.add("abort")
        reopened = await anext(opened)
        print(f"Reconnected: this is connection {reopened.connection}.")

        await exchange(client, "Still there?")
        print("The client's metrics:")
        print(client.metrics)
    print("Done.")


ws.run(main())
