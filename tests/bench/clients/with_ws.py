"""This package as programs use it: its default options, without compression."""

import asyncio
import contextlib

import ws
from ws import Data, WebSocketClient

SOURCE = ws.__file__
OPTIONS = ws.WebSocketOptions.vm(compression=False)

session = contextlib.nullcontext


async def connect(url: str, _: None) -> WebSocketClient:
    return await ws.connect(url, OPTIONS)


async def close(connection: WebSocketClient) -> None:
    await connection.close()


async def send(connection: WebSocketClient, message: str, count: int) -> None:
    for _ in range(count):
        await connection.add(message)


async def receive(connection: WebSocketClient, count: int) -> Data:
    left = count
    async for message in connection:
        left -= 1
        if not left:
            return message
    raise EOFError("the connection ended before the flood did")


async def listen(connection: WebSocketClient, count: int) -> Data:
    left = count
    last: asyncio.Future[Data] = asyncio.get_running_loop().create_future()

    def on_message(message: Data) -> None:
        nonlocal left
        left -= 1
        if not left:
            last.set_result(message)

    with connection.stream.listen(on_message):
        return await last


async def echo(connection: WebSocketClient, message: str, count: int) -> Data:
    answer: Data = ""
    for _ in range(count):
        await connection.add(message)
        answer = await connection.recv()
    return answer
