import asyncio

import ws


async def main() -> None:
    async with ws.connect("ws://127.0.0.1:8765", reconnect=True) as client:
        try:
            async for message in client:
                print(message)
        except asyncio.CancelledError:  # Ctrl-C or SIGTERM
            client.send_nowait("goodbye")
            raise


ws.run(main())
