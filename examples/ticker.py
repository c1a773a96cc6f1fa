import msgspec

import ws


class Tick(msgspec.Struct):
    symbol: str
    price: float


async def main() -> None:
    async with ws.connect("ws://127.0.0.1:8765/ticks", reconnect=True) as client:
        async for tick in client.stream.decode(msgspec.json.Decoder(Tick).decode):
            print(f"{tick.symbol} {tick.price:.2f}")


ws.run(main())
