"""JSON of the standard library is strict, and a program may bring its own."""

import math
import re

import pytest

import ws
from ws.testing import WebSocketClientFake
from ws_common.options.json_codec import Json, decode_json, encode_json


def test_what_is_written():
    """Compact, and in characters rather than escapes."""
    assert encode_json(None, {"a": [1, None, "\u00e9"]}) == '{"a":[1,null,"\u00e9"]}'


@pytest.mark.parametrize("value", [math.nan, math.inf, {1, 2}, object(), b"x"])
def test_what_cannot_be_written(value):
    """The error names the type, and keeps the reason."""
    with pytest.raises(ws.WSUnsupportedDataError, match=type(value).__name__) as caught:
        encode_json(None, value)
    assert isinstance(caught.value.__cause__, TypeError | ValueError)


def test_what_holds_itself():
    """A cycle ends in an error."""
    value: list[object] = []
    value.append(value)
    with pytest.raises(ws.WSUnsupportedDataError, match="Circular"):
        encode_json(None, value)


@pytest.mark.parametrize("message", ["NaN", "[Infinity]", "{", "", b"\xff", "x" * 99])
def test_what_is_not_json(message):
    """The error shows the beginning of the message."""
    with pytest.raises(ws.WSDecodeError, match="that is not JSON") as caught:
        decode_json(None, message)
    assert caught.value.__cause__ is not None
    assert len(str(caught.value)) < 200
    assert re.search("text|binary", str(caught.value))


@pytest.mark.parametrize("given", [{"dumps": 1}, {"loads": None}])
def test_functions_that_are_none(given):
    """They are rejected when the codec is made, and not with the first message."""
    with pytest.raises(TypeError, match=f"{next(iter(given))} must be callable"):
        Json(**{"dumps": str, "loads": str, **given})


@pytest.fixture
async def opened():
    """A client whose server answers with what it is sent."""

    async def open_one(**keywords):
        fake = WebSocketClientFake(answer=lambda data: data)
        client = ws.WebSocketClient.from_client(fake, **keywords)
        clients.append(client)
        await client.connect("ws://anywhere/")
        return client, fake

    clients: list[ws.WebSocketClient] = []
    yield open_one
    for client in clients:
        await client.close()


async def test_there_and_back(opened):
    """Values are sent as text."""
    client, fake = await opened()
    await client.send_json({"price": 1.5})
    assert fake.sent == ['{"price":1.5}']
    assert await client.recv_json() == {"price": 1.5}


async def test_a_message_that_is_not_json(opened):
    """It is consumed, and the next call returns the next message."""
    client, _ = await opened()
    await client.send("no JSON")
    await client.send_json([1])
    with pytest.raises(ws.WSDecodeError, match="'no JSON'"):
        await client.recv_json()
    assert await client.recv_json() == [1]


async def test_nothing_is_sent_of_what_cannot_be_written(opened):
    """The connection stays."""
    client, fake = await opened()
    with pytest.raises(ws.WSUnsupportedDataError):
        await client.send_json(object())
    assert fake.sent == []
    assert client.state.is_open


async def test_a_codec_of_the_program(opened):
    """Bytes are sent as text, and every reader of JSON uses it."""
    codec = Json(
        dumps=lambda value: f"<{value}>".encode(), loads=lambda text: text[1:-1]
    )
    client, fake = await opened(json=codec)
    stream = client.stream.json.subscribe()
    await client.send_json("a")
    assert fake.sent == ["<a>"]
    assert await client.recv_json() == "a"
    assert await anext(stream) == "a"


async def test_sessions():
    """A session sends and receives JSON on its connection."""
    greetings = []

    async def greet(session: ws.Session) -> None:
        await session.send_json({"hello": session.connection})
        greetings.append(await session.recv_json())

    fake = WebSocketClientFake(answer=lambda data: data)
    async with ws.WebSocketClient.from_client(fake, after_connect=greet) as client:
        await client.connect("ws://anywhere/")
        async for session in client.sessions():
            await session.send_json([2])
            assert await session.recv_json() == [2]
            await session.send("x")
            with pytest.raises(ws.WSDecodeError):
                await session.recv_json()
            break
    assert greetings == [{"hello": 1}]
