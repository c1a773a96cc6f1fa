"""aiohttp: one session, without compression; `receive()` in a loop."""

import aiohttp
from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector

SOURCE = aiohttp.__file__
MAX_SIZE = 16 * 2**20


def session() -> ClientSession:
    # By default a session has no more than 100 connections.
    return ClientSession(connector=TCPConnector(limit=0))


async def connect(url: str, session: ClientSession) -> ClientWebSocketResponse:
    return await session.ws_connect(url, compress=0, max_msg_size=MAX_SIZE)


async def close(connection: ClientWebSocketResponse) -> None:
    await connection.close()


async def send(connection: ClientWebSocketResponse, message: str, count: int) -> None:
    for _ in range(count):
        await connection.send_str(message)


async def receive(connection: ClientWebSocketResponse, count: int) -> str | bytes:
    for _ in range(count - 1):
        await connection.receive()
    return (await connection.receive()).data


listen = receive  # there are no listeners


async def echo(
    connection: ClientWebSocketResponse, message: str, count: int
) -> str | bytes:
    answer: str | bytes = ""
    for _ in range(count):
        await connection.send_str(message)
        answer = (await connection.receive()).data
    return answer
