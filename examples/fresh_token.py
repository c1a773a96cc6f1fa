import time

import ws


async def log_in(context: ws.ConnectContext) -> ws.Headers:
    token = f"valid-from-{time.time()}"  # ask your identity provider here
    print("attempt", context.attempt)
    return {"Authorization": f"Bearer {token}"}


async def main() -> None:
    url = "ws://127.0.0.1:8765"
    async with ws.connect(url, reconnect=True, headers=log_in) as client:
        async for message in client:
            print(message)


ws.run(main())
