"""Bare `websockets`: its default options, without compression; `recv()` in a loop."""

import contextlib

import websockets
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_bare

SOURCE = websockets.__file__
MAX_SIZE = 16 * 2**20

session = contextlib.nullcontext


async def connect(url: str, _: None) -> ClientConnection:
    return await connect_bare(url, compression=None, max_size=MAX_SIZE)


async def close(connection: ClientConnection) -> None:
    await connection.close()


async def send(connection: ClientConnection, message: str, count: int) -> None:
    for _ in range(count):
        await connection.send(message)


async def receive(connection: ClientConnection, count: int) -> str | bytes:
    for _ in range(count - 1):
        await connection.recv()
    return await connection.recv()


listen = receive  # there are no listeners


async def echo(connection: ClientConnection, message: str, count: int) -> str | bytes:
    answer: str | bytes = ""
    for _ in range(count):
        await connection.send(message)
        answer = await connection.recv()
    return answer
