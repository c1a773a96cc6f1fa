"""Faults of a real network: unplugged, black-holed, lossy, reset."""

import asyncio
import time

import pytest

from tests.support.client_driver import causes, kinds
from tests.support.network_namespaces import ADDRESSES
from ws_common.client import WebSocketClient
from ws_common.lifecycle.retry import ConnectionRetryInterval
from ws_common.lifecycle.states import Open, Reconnecting
from ws_common.options.heartbeat import Heartbeat
from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.errors import WSConnectionClosedError, WSTimeoutError

INTERVAL, TIMEOUT = 0.4, 0.6
SLACK = 0.5
"""Seconds that detecting a dead link may take beyond interval and timeout."""

DROP = ("-j", "DROP")


def options(**more) -> WebSocketOptions:
    heartbeat = Heartbeat(interval=INTERVAL, timeout=TIMEOUT)
    common = {"heartbeat": heartbeat, "timeout": 1, "close_timeout": 1, "proxy": None}
    return WebSocketOptions.vm(**{**common, **more})


async def connected(url: str, **more) -> WebSocketClient:
    """A client that has just received an answer."""
    client = WebSocketClient(options(**more))
    await client.connect(url)
    await client.add("hello")
    assert await client.recv() == "hello"
    return client


FAULTS = {
    "unplugged": lambda network: network.cable("down"),
    "nothing comes in": lambda network: network.rule("client", "INPUT", *DROP),
    "nothing goes out": lambda network: network.rule("client", "OUTPUT", *DROP),
    "dropped far away": lambda network: network.rule("server", "INPUT", *DROP),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_half_open(network, far_server, here, fault):
    """A dead link is noticed within interval + timeout + 0.5 s, and healed."""

    async def scenario() -> None:
        interval = ConnectionRetryInterval(min=0.05, max=0.1)
        client = await connected(
            far_server("/echo"), connection_retry_interval=interval
        )
        with client.state_changes.subscribe() as states:
            await asyncio.to_thread(FAULTS[fault], network)
            began = time.monotonic()
            async with asyncio.timeout(10):
                state = await anext(states)
            took = time.monotonic() - began
            assert isinstance(state, Reconnecting)
            assert state.close_code == 1006
            assert causes(client) == ["connect", "opened", "heartbeat_timeout"]
            assert TIMEOUT < took < INTERVAL + TIMEOUT + SLACK
            await asyncio.to_thread(network.heal)
            async with asyncio.timeout(20):
                async for state in states:
                    if isinstance(state, Open):
                        break
        assert state.connection == 2
        await client.add("again")
        assert await client.recv() == "again"
        await client.close()
        between = kinds(client)[3:-3]
        assert set(between) <= {"Connecting", "Reconnecting"}
        assert kinds(client)[-3:] == ["Open", "Disconnecting", "Closed"]

    here(scenario())


def test_reset(network, far_server, here):
    """A firewall that resets is noticed with the next message, before any heartbeat."""

    async def scenario() -> None:
        client = await connected(far_server("/echo"), heartbeat=None)
        # Only what goes there: the reset itself goes out of the same chain.
        there = ("-d", ADDRESSES["server"])
        rule = (*there, "-j", "REJECT", "--reject-with", "tcp-reset")
        await asyncio.to_thread(network.rule, "client", "OUTPUT", *rule)
        await client.add("into the wall")
        with pytest.raises(WSConnectionClosedError) as caught:
            async with asyncio.timeout(SLACK):
                await client.recv()
        assert caught.value.close_code == 1006
        assert caught.value.unconfirmed >= 1
        assert causes(client)[-1] == "network_lost"
        await client.close()

    here(scenario())


def test_loss(network, far_server, here):
    """With a fifth of all packets lost it is slow, but in order and not given up."""

    async def scenario() -> None:
        client = await connected(
            far_server("/echo"), heartbeat=Heartbeat(interval=1, timeout=20)
        )
        loss = ("-m", "statistic", "--mode", "random", "--probability", "0.2", *DROP)
        for side in ("client", "server"):
            await asyncio.to_thread(network.rule, side, "INPUT", *loss)
        sent = [f"{index}:" + "x" * 1000 for index in range(100)]
        for message in sent:
            await client.add(message)
        async with asyncio.timeout(50):
            assert [await client.recv() for _ in sent] == sent
        assert causes(client) == ["connect", "opened"]
        await asyncio.to_thread(network.heal)
        await client.close()

    here(scenario())


def test_attempt_into_the_dark(network, far_server, here):
    """An attempt that nobody answers ends at its timeout."""

    async def scenario() -> None:
        await asyncio.to_thread(network.rule, "client", "OUTPUT", *DROP)
        client = WebSocketClient(options(timeout=0.5))
        began = time.monotonic()
        with pytest.raises(WSTimeoutError):
            await client.connect(far_server("/echo"))
        assert 0.5 <= time.monotonic() - began < 0.5 + SLACK
        assert causes(client) == ["connect", "attempt_timeout"]
        await client.close()

    here(scenario())


def test_closing_in_the_dark(network, far_server, here):
    """disconnect() takes no longer than `close_timeout`, though nobody answers."""

    async def scenario() -> None:
        client = await connected(far_server("/echo"), close_timeout=0.5, heartbeat=None)
        await asyncio.to_thread(network.rule, "client", "INPUT", *DROP)
        began = time.monotonic()
        await client.disconnect()
        assert 0.5 <= time.monotonic() - began < 0.5 + SLACK
        assert causes(client)[-2:] == ["disconnect", "close_timeout"]
        await client.close()

    here(scenario())
