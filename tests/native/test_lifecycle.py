"""The states and errors that follow from what servers do, over real sockets."""

import itertools
import json
import socket
import sys
import time

import pytest

import ws
from tests.support.client_driver import begin, kinds
from tests.support.server import Server
from tests.support.silent_ports import silent

FAST = ws.ConnectionRetryInterval(min=0.05, max=0.2)
AGAIN = ["Connecting", "Reconnecting"]
LOST = ["Connecting", "Open", "Reconnecting"]
CLOSED = ["Connecting", "Open", "Disconnecting", "Reconnecting"]
PATIENT = 10.0
"""Seconds: an upper bound that only a hang reaches."""

TICK = 0.001
"""Seconds: uvloop counts whole ones of these, and its timers fire as much too early."""


async def first_failure(url, **options):
    """Connect with retries; return the first failure, and the history of states."""
    given = {"connection_retry_interval": FAST, "proxy": None, **options}
    client = ws.WebSocketClient(ws.WebSocketOptions.vm(**given))
    states = client.state_changes.subscribe()
    asked = begin(client.connect(url))
    asked.add_done_callback(lambda done: done.cancelled() or done.exception())
    async for state in states:
        if isinstance(state, ws.Reconnecting | ws.Closed):
            history = client.history
            break
    await client.close()
    states.close()
    return state, [type(entry.state).__name__ for entry in history]


async def handshakes(server, key) -> int:
    """Return how many handshakes the server has counted."""
    async with ws.connect(server("/count", key=key)) as client:
        return json.loads(await client.recv())


@pytest.mark.parametrize(
    ("path", "query", "states", "code"),
    [
        ("/close-at-once", {"code": 1000}, CLOSED, 1000),
        ("/close-at-once", {}, CLOSED, 1005),
        ("/close-at-once", {"code": 1012}, CLOSED, 1012),
        ("/close-at-once", {"code": 1008}, [*CLOSED[:-1], "Closed"], 1008),
        ("/close-at-once", {"code": 3000}, [*CLOSED[:-1], "Closed"], 3000),
        ("/abort-at-once", {}, LOST, 1006),
        ("/bad-frame", {}, [*CLOSED[:-1], "Closed"], 1002),
        ("/bad-utf8", {}, [*CLOSED[:-1], "Closed"], 1007),
        ("/close-and-hold", {"code": 1001}, CLOSED, 1001),
    ],
)
async def test_accepted_and_lost(server, path, query, states, code):
    """The connection opens and ends, with the code that says why."""
    state, seen = await first_failure(server(path, **query), close_timeout=0.1)
    assert seen == states
    assert isinstance(state.error, ws.WSConnectionClosedError)
    assert state.error.close_code == state.close_code == code
    assert state.error.was_clean is (code in {1000, 1001, 1005, 1008, 1012, 3000})


@pytest.mark.parametrize(
    ("status", "final"),
    [(401, True), (403, True), (404, True), (410, True), (408, False), (425, False),
     (500, False), (502, False), (200, False)],
)  # fmt: skip
async def test_refused(server, status, final):
    """The status is in the error; a client's fault ends it, a server's is retried."""
    state, seen = await first_failure(server("/refuse", status=status))
    assert seen == (["Connecting", "Closed"] if final else AGAIN)
    assert isinstance(state.error, ws.WSHandshakeError)
    assert state.error.status == status
    assert f"answered {status}" in str(state.error)


@pytest.mark.parametrize("status", [429, 503])
async def test_refused_for_a_while(server, status):
    """Retry-After is added to the drawn delay."""
    url = server("/refuse", status=status, retry_after=7)
    state, seen = await first_failure(url)
    assert seen == AGAIN
    assert state.error.retry_after == 7
    assert 7.05 <= state.delay <= 7.1


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/garbage", "does not speak HTTP"),
        ("/half-header", "hung up in the middle"),
        ("/endless-headers", "does not speak HTTP|limit"),
    ],
)
async def test_nonsense(server, path, words):
    """A response that is not HTTP is a readable error, and is retried."""
    state, seen = await first_failure(server(path))
    assert seen == AGAIN
    assert isinstance(state.error, ws.WSHandshakeError)
    assert state.error.status is None
    with pytest.raises(ws.WSHandshakeError, match=words):
        raise state.error


async def test_a_host_that_does_not_resolve():
    """The network may be down, so it is retried."""
    state, seen = await first_failure("ws://no-such-host.invalid/", timeout=PATIENT)
    assert seen == AGAIN
    assert isinstance(state.error.__cause__, socket.gaierror)
    assert "does not resolve" in str(state.error)


needs_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="fills a queue as Linux has it"
)


@pytest.mark.parametrize(
    ("scheme", "full"),
    [pytest.param("ws", True, marks=needs_linux), ("wss", False), ("ws", False)],
    ids=["connect", "TLS", "upgrade"],
)
async def test_hangs(scheme, full):
    """No stage makes an attempt longer than `timeout`."""
    with silent(full=full) as address:
        before = time.monotonic()
        state, seen = await first_failure(f"{scheme}://{address}/", timeout=0.2)
        assert 0.2 - TICK <= time.monotonic() - before < PATIENT
    assert seen == AGAIN
    assert isinstance(state.error, ws.WSTimeoutError)
    assert "within 0.2 s (while connecting)" in str(state.error)


async def test_a_peer_that_does_not_answer_the_close(server):
    """`disconnect()` returns at `close_timeout`."""
    options = ws.WebSocketOptions.common(close_timeout=0.2)
    async with ws.connect(server("/silent-close"), options) as client:
        before = time.monotonic()
        await client.disconnect()
        assert 0.2 - TICK <= time.monotonic() - before < PATIENT
        assert kinds(client)[-2:] == ["Disconnecting", "Closed"]
        assert client.state == ws.Closed(1006, "")


async def test_a_peer_that_answers_the_close_and_keeps_tcp_open(server):
    """The closing handshake is complete, so the end has the code of the Close."""
    options = ws.WebSocketOptions.common(close_timeout=0.2)
    async with ws.connect(server("/answer-and-hold"), options) as client:
        await client.add("hello")
        assert await client.recv() == "hello"
        await client.disconnect(4001, "done")
        assert kinds(client)[-2:] == ["Disconnecting", "Closed"]
        assert client.state == ws.Closed(4001, "done")


@pytest.mark.parametrize("status", [301, 307])
async def test_moved(server, key, status):
    """A redirect is followed, and the next connection begins at the first URL."""
    url = server("/redirect", status=status, key=key, to="/greeting")
    options = ws.WebSocketOptions.common(connection_retry_interval=FAST)
    async with ws.connect(url, options) as client:
        assert await client.recv() == "hello"
        await client.add("abort")
        await client.state_changes.open.first()
        assert client.state.url == url
        assert await handshakes(server, key) == 2
        assert kinds(client) == [*LOST, *LOST[:2]]


async def test_an_outage():
    """While the server is down add() waits; its message is sent first afterwards."""
    options = ws.WebSocketOptions.common(connection_retry_interval=FAST)
    with Server() as server:
        url, port = server.urls("/echo"), server.port
        client = await ws.connect(url, options)
    async with client:
        states = client.state_changes.reconnecting.subscribe()
        for _ in range(3):
            waiting = await anext(states)
        adding = begin(client.add("are you back?"))
        assert isinstance(waiting.error.__cause__, ConnectionRefusedError)
        assert "connection refused" in str(waiting.error)
        with Server(port):
            await adding
            assert await client.recv() == "are you back?"
            assert client.state.connection == 2


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/close-at-once", {"code": 1000}),
        ("/close-at-once", {"code": 1011}),
        ("/abort-at-once", {}),
        ("/refuse", {"status": 503}),
        ("/half-header", {}),
    ],
)
async def test_no_faster_than_the_backoff(server, key, path, query):
    """The server counts no more handshakes than the drawn delays allow."""
    interval = ws.ConnectionRetryInterval(min=0.05, max=0.1, max_attempts=8)
    options = ws.WebSocketOptions.vm(connection_retry_interval=interval, proxy=None)
    client = ws.WebSocketClient.start(server(path, key=key, **query), options)
    before = time.monotonic()
    async with client:
        last = await client.state_changes.closed.first()
        took = time.monotonic() - before
        assert isinstance(last.error, ws.WSRetriesExhaustedError)
        assert await handshakes(server, key) == last.error.attempts == 8
        waits = [e.state.delay for e in client.history
                 if isinstance(e.state, ws.Reconnecting)]  # fmt: skip
        assert len(waits) == 7
        assert took >= sum(waits) >= 7 * 0.05
        for one, after in itertools.pairwise(client.history):
            if isinstance(one.state, ws.Reconnecting):
                gap = (after.at - one.at).total_seconds()
                assert gap >= one.state.delay - 0.002  # two clocks
