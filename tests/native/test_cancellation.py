"""Every call is cancelled at every turn of the loop: nothing is left behind."""

import asyncio
import contextlib
import itertools
import sys

import pytest

import ws
from tests.support.client_driver import begin
from tests.support.resource_counter import Turns, descriptors, nothing_left

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="counts descriptors")

MOST = 500
"""Turns that no call takes."""


async def provide(url: str) -> str:
    await asyncio.sleep(0)
    return url


async def follow(client, _):
    """Follow two sessions, with a reconnection between them."""
    async for session in client.sessions():
        if session.connection == 2:
            break
        await session.add("abort")
        async for _ in session:
            pass


CALLS = {
    "connect": lambda client, url: client.connect(url("/echo")),
    "connect-provider": lambda client, url: client.connect(
        lambda _: provide(url("/echo"))
    ),
    "connect-retries": lambda client, url: client.connect(url("/refuse", status=503)),
    "connect-closed-at-once": lambda client, url: client.connect(
        url("/greeting-close")
    ),
    "reconnect": lambda client, _: client.reconnect(),
    "disconnect": lambda client, _: client.disconnect(),
    "disconnect-silent-peer": lambda client, _: client.disconnect(),
    "close": lambda client, _: client.close(),
    "ping": lambda client, _: client.ping(),
    "sessions": follow,
    "add": lambda client, _: client.add("while it connects"),
}
FEW = {"ping": 2, "disconnect": 2, "disconnect-silent-peer": 1, "close": 2}
"""Turns that those take which have little to do; all others take more."""

NEW = [name for name in CALLS if name.partition("-")[0] == "connect"]
ONGOING = [name for name in CALLS if name not in NEW]


async def greet(session: ws.Session) -> None:
    """Exchanges messages before the connection counts as open."""
    await session.add("hello")
    await session.recv()


OPTIONS = ws.WebSocketOptions.vm(
    connection_retry_interval=ws.ConnectionRetryInterval(
        min=0.001, max=0.001, max_attempts=3
    ),
    after_connect=greet,
    close_timeout=0.05,
    proxy=None,
)


async def cancel_at(work: "asyncio.Future[object]", count: int, turns: Turns) -> bool:
    """Cancel after this many turns; return whether it was done before."""
    for _ in range(count):
        await turns.next()
    done = work.done()
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError, ws.WSError):
        await work
    return done


async def check_usable(client: ws.WebSocketClient, server) -> None:
    """Check that the client is idle, closed or open, and can still be used."""
    if client.is_closed:
        return
    if not client.state.is_open:
        await client.connect(server("/echo"))
    asked = begin(client.recv())
    await client.add("still there?")
    async with asyncio.timeout(10):
        while await asked != "still there?":
            asked = begin(client.recv())


@pytest.mark.parametrize("call", CALLS)
async def test_at_every_turn(server, call):
    """Cancelled at the 1st, 2nd, 3rd … turn until it completes, it leaves nothing."""
    before, turns = descriptors(), Turns()
    for count in itertools.count(1):
        client = ws.WebSocketClient(OPTIONS)
        if call == "add":
            client = ws.WebSocketClient.start(server("/echo"), OPTIONS)
        elif call in ONGOING:
            silent = call.endswith("silent-peer")
            await client.connect(server("/silent-close" if silent else "/echo"))
        done = await cancel_at(begin(CALLS[call](client, server)), count, turns)
        if call not in {"sessions", "add"}:
            assert client.state.is_open or client.state.is_closed
        await check_usable(client, server)
        await client.close()
        await nothing_left(before)
        if done:
            break
        assert count < MOST
    assert count > FEW.get(call, 3)


@pytest.mark.parametrize("call", NEW)
async def test_a_cancelled_connect_leaves_nothing_at_once(server, call):
    """Even before `close()` the attempt is stopped, and its socket is closed."""
    before, turns = descriptors(), Turns()
    client = ws.WebSocketClient(OPTIONS)
    for count in itertools.count(1):
        done = await cancel_at(begin(CALLS[call](client, server)), count, turns)
        if done:
            break
        assert client.state.is_closed
        await nothing_left(before)
    await client.close()


async def test_recv_loses_nothing(server):
    """However often it is cancelled, each message is returned once, in order."""
    sent = [str(number) for number in range(30)]
    received, turns = [], Turns()
    async with ws.connect(server("/echo"), OPTIONS) as client:
        for number, text in enumerate(sent):
            await client.add(text)
            work = begin(client.recv())
            for _ in range(number % 6):
                await turns.next()
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                received.append(await work)
        while len(received) < len(sent):
            received.append(await client.recv())
    assert received == sent


async def test_add_that_waits_is_not_sent(server, key):
    """A message is never sent if its add() is cancelled before the transport has it."""
    async with ws.connect(server("/collect", key=key)) as client:
        states = client.state_changes.subscribe()
        asked = begin(client.reconnect())
        while not isinstance(await anext(states), ws.Connecting):
            pass
        adds = [begin(client.add(str(number))) for number in range(10)]
        await asyncio.sleep(0)
        for add in adds[::2]:
            add.cancel()
        await asked
        await asyncio.gather(*adds, return_exceptions=True)
    async with ws.connect(server("/collected", key=key)) as client:
        assert await client.recv() == "5"


@pytest.mark.parametrize("body", ["talks", "waits"])
async def test_the_whole_program(server, body):
    """`async with ws.connect(…)` may be cancelled at any point."""

    async def program() -> None:
        async with ws.connect(server("/echo"), OPTIONS) as client:
            await client.add("hello")
            while await client.recv() != "hello":
                pass
            if body == "waits":
                await client.recv()

    before, turns = descriptors(), Turns()
    for count in range(1, MOST):
        done = await cancel_at(begin(program()), count, turns)
        await nothing_left(before)
        if done or (body == "waits" and count == 25):
            break
    assert count > 5
