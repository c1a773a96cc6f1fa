"""An nginx in front of the server, which cuts idle connections."""

import asyncio

import pytest

from tests.support.client_driver import causes
from ws_common.client import WebSocketClient
from ws_common.options.heartbeat import Heartbeat
from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.errors import WSConnectionClosedError, WSHandshakeError

IDLE = 1


@pytest.fixture(scope="module")
def impatient(nginx, program):
    """An nginx that cuts after a second of silence."""
    with program("with_websockets.py") as behind:
        real = nginx(behind, idle=IDLE)
        with real.program:
            yield real


async def test_idle_is_cut(platform, impatient):
    """Without a heartbeat the connection is lost, and the loss is reported."""
    async with WebSocketClient(impatient.options(heartbeat=None)) as client:
        await client.connect(impatient.url)
        with pytest.raises(WSConnectionClosedError) as caught:
            await client.recv()
        assert caught.value.close_code == 1006
        assert causes(client)[-1] == "network_lost"


async def test_heartbeat_keeps_it(platform, impatient):
    """With a heartbeat the connection stays open."""
    heartbeat = Heartbeat(interval=IDLE / 4, timeout=5)
    async with WebSocketClient(impatient.options(heartbeat=heartbeat)) as client:
        await client.connect(impatient.url)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(IDLE * 2):
                await client.recv()
        await client.add("still there?")
        assert await client.recv() == "still there?"
        assert client.latency > 0


async def test_bad_gateway(platform, nginx, program):
    """Without a server behind it, the error has its status."""
    real = nginx(program("with_websockets.py"))
    with real.program:
        client = WebSocketClient(real.options())
        with pytest.raises(WSHandshakeError) as caught:
            await client.connect(real.url)
        assert caught.value.status == 502
        await client.close()


async def test_unknown_authority(platform, impatient):
    """A certificate of an unknown authority is refused."""
    client = WebSocketClient(WebSocketOptions.vm(proxy=None))
    with pytest.raises(WSHandshakeError, match="certificate is not trusted"):
        await client.connect(impatient.url)
    await client.close()
