"""The fake that applications use in their tests."""

import asyncio

import pytest

import ws
from tests.support.idle import until_idle
from ws.testing import WebSocketClientFake

URL = "ws://anywhere/"


async def connect(**arguments) -> WebSocketClientFake:
    """Return a fake that is connected."""
    fake = WebSocketClientFake(**arguments)
    await fake.connect(URL)
    return fake


async def test_connecting():
    """A fake connects at once, and counts its connections."""
    fake = await connect(protocol="chat")

    assert ws.Open(URL, "chat", 1) == fake.state
    assert fake.urls == [URL]


async def test_sending():
    """Messages are recorded, and answered."""
    fake = await connect(answer=lambda data: [data, "again"])
    with fake.stream.subscribe() as reader:
        await fake.add("hello")

        assert fake.sent == ["hello"]
        assert ["hello", "again"] == [await anext(reader), await anext(reader)]


async def test_messages_of_the_server():
    """`loop_back()` sends a message, but not without a connection."""
    fake = WebSocketClientFake()
    with pytest.raises(RuntimeError, match="cannot send"):
        fake.loop_back("too early")
    await fake.connect(URL)
    with fake.stream.subscribe() as reader:
        fake.loop_back("hello")

        assert "hello" == await anext(reader)


@pytest.mark.parametrize(
    ("arguments", "closed"),
    [((), ws.Closed(1006, "")), ((1001, "bye"), ws.Closed(1001, "bye"))],
)
async def test_dropping(arguments, closed):
    """`drop()` ends the connection, but not without one."""
    fake = await connect()
    fake.drop(*arguments)

    assert closed == fake.state
    with pytest.raises(RuntimeError, match="no connection to drop"):
        fake.drop()
    with pytest.raises(ws.WSConnectionClosedError):
        fake.add_nowait("too late")


async def test_refusing():
    """Each `refuse()` refuses one attempt, by the network or by the server."""
    fake = WebSocketClientFake()
    fake.refuse()
    fake.refuse(503)

    with pytest.raises(ConnectionRefusedError):
        await fake.connect(URL)
    with pytest.raises(ws.WSHandshakeError) as refused:
        await fake.connect(URL)
    assert 503 == refused.value.status
    assert ws.Closed() == fake.state
    await fake.connect(URL)
    assert fake.state.is_open


async def test_stalling():
    """A stalled server answers after `release()`."""
    fake = WebSocketClientFake()
    fake.stall()
    connecting = asyncio.ensure_future(fake.connect(URL))
    await until_idle()
    assert isinstance(fake.state, ws.Connecting)

    fake.release()
    await connecting
    assert fake.state.is_open


async def test_cancelling_an_attempt():
    """A cancelled attempt leaves the fake closed."""
    fake = WebSocketClientFake()
    fake.stall()
    connecting = asyncio.ensure_future(fake.connect(URL))
    await until_idle()
    connecting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert ws.Closed() == fake.state


async def test_disconnecting():
    """Without a code the close code is 1005, as in a browser."""
    fake = await connect()
    await fake.disconnect(None, None)

    assert ws.Closed(1005, "") == fake.state
    await fake.disconnect()
    assert ws.Closed(1005, "") == fake.state


async def test_closing():
    """A closed fake cannot connect again."""
    fake = await connect()
    await fake.close()

    with pytest.raises(ws.WSClientClosedError):
        await fake.connect(URL)


async def test_invalid_url():
    """An invalid URL is refused as by the real client."""
    with pytest.raises(ws.WSInvalidUrlError):
        await WebSocketClientFake().connect("http://anywhere/")


async def test_repr():
    """The repr hides the secrets of the URL."""
    fake = await connect()
    await fake.close()
    other = WebSocketClientFake()
    await other.connect("ws://joe:s3cr3t@host/?token=s3cr3t")

    assert "s3cr3t" not in repr(other)
    assert "not connected yet" in repr(WebSocketClientFake())
