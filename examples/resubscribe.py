import ws


async def subscribe(session: ws.Session) -> None:
    await session.send_json({"subscribe": ["BTC", "ETH"]})


async def main() -> None:
    url = "ws://127.0.0.1:8765/feed"
    async with ws.connect(url, reconnect=True, after_connect=subscribe) as client:
        async for update in client.stream.json:
            print(update)


ws.run(main())
