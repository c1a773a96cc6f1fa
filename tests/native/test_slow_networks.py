"""Slow, stalling and refusing networks, played by a proxy of ours."""

import asyncio

import pytest

from tests.support.client_driver import causes
from tests.support.tcp_proxy import Direction, TcpProxy
from ws_common.client import WebSocketClient
from ws_common.lifecycle.retry import ConnectionRetryInterval
from ws_common.lifecycle.states import Open, Reconnecting
from ws_common.options.heartbeat import Heartbeat
from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.errors import WSConnectionClosedError

INTERVAL, TIMEOUT = 0.2, 0.3
HEARTBEAT = Heartbeat(interval=INTERVAL, timeout=TIMEOUT)
SIZE = 600_000
SLACK = 2.0
"""Seconds that a busy machine may add."""


@pytest.fixture
def port(server) -> int:
    return int(server.base.rpartition(":")[2])


def client(**more) -> WebSocketClient:
    common = {"heartbeat": HEARTBEAT, "proxy": None, "close_timeout": 0.5}
    return WebSocketClient(WebSocketOptions.vm(**{**common, **more}))


async def test_slow_is_not_dead(platform, port):
    """A message that takes longer than the heartbeat allows keeps it satisfied."""
    slow = Direction(rate=SIZE / (INTERVAL + TIMEOUT) / 2)
    async with TcpProxy(port, down=slow) as proxy, client() as one:
        await one.connect(f"ws://127.0.0.1:{proxy.port}/big?size={SIZE}")
        assert len(await one.recv()) == SIZE
        assert causes(one) == ["connect", "opened"]


async def test_stalled_in_a_message(platform, port):
    """A network that stalls in the middle of a message is declared dead."""
    loop = asyncio.get_running_loop()
    stalling = Direction(after=SIZE // 2, then="stall")
    async with TcpProxy(port, down=stalling) as proxy, client() as one:
        await one.connect(f"ws://127.0.0.1:{proxy.port}/big?size={SIZE}")
        before = loop.time()
        with pytest.raises(WSConnectionClosedError):
            await one.recv()
        assert causes(one)[-1] == "heartbeat_timeout"
        assert loop.time() - before < INTERVAL + TIMEOUT + SLACK


async def test_delay_is_measured(platform, port):
    """The latency is the delay of the network."""
    far = Direction(delay=0.05)
    proxied = TcpProxy(port, up=far, down=far)
    async with proxied as proxy, client(heartbeat=None) as one:
        await one.connect(f"ws://127.0.0.1:{proxy.port}/echo")
        assert 0.1 <= await one.ping() < 0.1 + SLACK
        assert one.latency >= 0.1


async def test_refused_for_a_while(platform, port):
    """The client reconnects as soon as the server listens again."""
    interval = ConnectionRetryInterval(min=0.01, max=0.05)
    one = client(connection_retry_interval=interval)
    async with TcpProxy(port) as proxy, one:
        await one.connect(f"ws://127.0.0.1:{proxy.port}/echo")
        with one.state_changes.subscribe() as states:
            proxy.refuse()
            proxy.inject("rst")
            async for state in states:
                if isinstance(state, Reconnecting) and state.attempt == 3:
                    break
            await proxy.accept()
            async for state in states:
                if isinstance(state, Open):
                    break
        assert state.connection == 2
        await one.add("there?")
        assert await one.recv() == "there?"
