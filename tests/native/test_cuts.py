"""A connection that is cut after every byte of a handshake and a short conversation."""

import asyncio
import gc
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.client_driver import causes
from tests.support.tcp_proxy import Direction, Fault, TcpProxy
from ws_common.client import WebSocketClient
from ws_common.lifecycle.states import Closed
from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.causes import MEANINGS
from ws_common.vocabulary.errors import (
    WSError,
    WSNotConnectedError,
    WSTimeoutError,
)

FDS = Path("/proc/self/fd")
AT_ONCE = 100

PATIENCE = {"fin": 10.0, "rst": 10.0, "swallow": 2.0}
"""Seconds that are waited. A half-open link takes all of them: nothing tells of it."""

SLACK = 5.0
"""Seconds that a busy machine may add to a deadline."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one conversation."""

    reached: str
    error: WSError | None
    causes: tuple[str, ...]
    seconds: float


async def converse(url: str, patience: float) -> Outcome:
    """Connect, echo a message and close; anything but a `WSError` is raised."""
    options = WebSocketOptions.vm(
        proxy=None, timeout=patience, close_timeout=patience, heartbeat=None
    )
    client = WebSocketClient(options)
    began = asyncio.get_running_loop().time()
    reached, error = "nothing", None
    try:
        async with asyncio.timeout(2 * patience + SLACK):
            await client.connect(url)
            reached = "open"
            await client.add("hello")
            async with asyncio.timeout(patience):  # a half-open link is for a heartbeat
                await client.recv()
            reached = "answered"
            await client.disconnect()
            reached = "closed"
    except WSError as caught:
        error = caught
    except TimeoutError:
        assert reached == "open"
    finally:
        async with asyncio.timeout(patience + SLACK):
            await client.close()
    seconds = asyncio.get_running_loop().time() - began
    assert isinstance(client.state, Closed)
    return Outcome(reached, error, tuple(causes(client)), seconds)


async def cut(to: int, direction: str, position: int, fault: Fault) -> Outcome:
    """Run one conversation through a proxy of its own."""
    fails = {direction: Direction(after=position, then=fault)}
    async with TcpProxy(to, **fails) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/echo"
        return await converse(url, PATIENCE[fault])


def lasting() -> tuple[int, int]:
    """Return how many tasks and open files there are."""
    files = len(list(FDS.iterdir())) if FDS.exists() else 0
    return len(asyncio.all_tasks()), files


@pytest.fixture
def port(server) -> int:
    return int(server.base.rpartition(":")[2])


async def lengths(port: int) -> dict[str, tuple[int, int]]:
    """The bytes of the handshake and of the whole conversation, in each direction."""
    async with TcpProxy(port) as proxy:
        options = WebSocketOptions.vm(proxy=None, heartbeat=None)
        async with WebSocketClient(options) as client:
            await client.connect(f"ws://127.0.0.1:{proxy.port}/echo")
            handshake = dict(proxy.passed)
            await client.add("hello")
            await client.recv()
            await client.disconnect()
        return {name: (handshake[name], proxy.passed[name]) for name in ("up", "down")}


def documented(outcome: Outcome, fault: Fault) -> bool:
    """Return whether docs/lifecycle.md allows this outcome for such a cut."""
    silent = fault == "swallow"
    last = outcome.causes[-2]  # close() comes after it
    match outcome.reached:
        case "nothing" if silent:
            return isinstance(outcome.error, WSTimeoutError) and (
                last == "attempt_timeout"
            )
        case "nothing":
            return isinstance(outcome.error, WSNotConnectedError) and (
                last == "attempt_failed"
            )
        case "open" if silent:
            return outcome.error is None
        case "open":  # the message found the connection lost, or was lost with it
            return isinstance(outcome.error, WSNotConnectedError) and (
                getattr(outcome.error, "close_code", 1006) == 1006
                and last == "network_lost"
            )
        case "closed":
            return outcome.error is None
    return False


@pytest.mark.timeout(120)
@pytest.mark.parametrize("fault", ["fin", "rst", "swallow"])
@pytest.mark.parametrize("direction", ["up", "down"])
async def test_every_cut(platform, port, direction, fault, caplog):
    """Wherever it is cut, the outcome is a documented one, in time, without a leak."""
    handshake, total = (await lengths(port))[direction]
    strange: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: strange.append(context))
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(position: int) -> Outcome:
        async with gate:
            return await cut(port, direction, position, fault)

    before = lasting()
    outcomes = await asyncio.gather(*(one(position) for position in range(total)))
    for position, outcome in enumerate(outcomes):
        assert documented(outcome, fault), (position, outcome)
        assert set(outcome.causes) <= set(MEANINGS)
        if position < handshake:
            assert outcome.reached == "nothing", (position, outcome)
        elif position > handshake:
            assert outcome.reached != "nothing", (position, outcome)
    reached = Counter(outcome.reached for outcome in outcomes)
    assert reached["nothing"] in {handshake, handshake + 1}
    gc.collect()
    for _ in range(200):
        if lasting() <= before:
            break
        await asyncio.sleep(0.01)
    tasks, files = lasting()
    assert tasks <= before[0]
    assert files <= before[1]
    assert strange == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
