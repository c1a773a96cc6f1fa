"""One program, two places: run by CPython in a terminal and by PyScript in a page.

It talks to a server that echoes, is cut off in the middle, comes back by itself, goes
on, and shows what the client counted meanwhile. Nothing here knows where it runs.
"""

import json

import display

import ws

OPTIONS = ws.WebSocketOptions.common(
    connection_retry_interval=ws.ConnectionRetryInterval(min=0.1, max=1.0),
)


async def exchange(client: ws.WebSocketClient, message: str | bytes) -> str | bytes:
    """Send a message, and show it and what came back."""
    print(f"→ {message!r}")
    await client.add(message)
    answer = await client.recv()
    print(f"← {answer!r}")
    return answer


async def main() -> None:
    """Hold the conversation."""
    async with ws.connect(display.server_url(), OPTIONS) as client:
        display.watch(client)
        print(f"Connected, on platform {ws.PLATFORM!r}.")

        await exchange(client, "Hello, wörld ✓")
        await exchange(client, bytes(range(8)))
        order = {"id": 7, "what": ["tea", "milk"], "paid": False}
        answer = json.loads(await exchange(client, json.dumps(order)))
        print(f"  as JSON: {answer['what']}")
        await exchange(client, "ping")

        # The server drops the TCP connection, without a closing handshake.
        print("Now asking to be cut off ...")
        opened = client.state_changes.open.subscribe()
        await client.add("abort")
        reopened = await anext(opened)
        print(f"Back by itself: this is connection {reopened.connection}.")

        await exchange(client, "Still there?")
        print("What the client counted:")
        print(client.metrics)
    print("Done.")


ws.run(main())
