"""Handshakes that cannot succeed, about which the browser reveals nothing.

With `diagnose` the client asks over HTTP what the browser hides. That must not be seen
by whoever looks at the page, and must not take longer than the answer does.
"""

import asyncio
import time

import pytest

import ws

TIMEOUT = 2.0
CHALLENGES = {
    "Basic": 'Basic realm="here"',
    "Digest": 'Digest realm="here", nonce="x", qop="auth"',
}

FOR_EVER = 3600
"""Seconds until the next attempt, so that none comes during a test."""


async def failure(url, **options):
    """Return the state of a client after its first attempt has failed."""
    options = ws.WebSocketOptions.js(
        connection_retry_interval=(FOR_EVER, FOR_EVER), timeout=TIMEOUT, **options
    )
    client = ws.WebSocketClient(options)
    failed = asyncio.ensure_future(
        client.state_changes.first(
            lambda state: isinstance(state, ws.Reconnecting | ws.Closed)
        )
    )
    connecting = asyncio.ensure_future(client.connect(url))
    try:
        return await failed
    finally:
        await client.close()
        await asyncio.gather(connecting, return_exceptions=True)


async def test_a_refusal_without_a_challenge(server):
    """A 401 without a challenge is reported, and final."""
    state = await failure(server("/refuse", status=401), diagnose=True)
    assert isinstance(state, ws.Closed)
    assert 401 == state.error.status


@pytest.mark.parametrize("scheme", CHALLENGES)
async def test_a_challenge(server, scheme):
    """A 401 with a challenge is reported and final too, without a login dialog."""
    began = time.monotonic()
    url = server("/refuse", status=401, challenge=CHALLENGES[scheme])
    state = await failure(url, diagnose=True)
    assert 401 == getattr(state.error, "status", None), str(state.error)
    assert isinstance(state, ws.Closed)
    assert time.monotonic() - began < TIMEOUT / 2


async def test_a_challenge_that_cross_origin_rules_hide(server):
    """Then there is no status, but no login dialog either."""
    began = time.monotonic()
    url = server("/refuse", status=401, challenge=CHALLENGES["Basic"], hide=1)
    state = await failure(url, diagnose=True)
    assert "within" not in str(state.error)
    assert time.monotonic() - began < TIMEOUT / 2


async def test_what_fetch_hides_too(server):
    """A proxy that wants a password (407) is not taken for a server that is down."""
    state = await failure(server("/refuse", status=407), diagnose=True)
    assert isinstance(state, ws.Reconnecting)
    assert "proxy" in str(state.error)


@pytest.mark.parametrize("port", [1, 22, 6000, 6667, 10080])
async def test_a_blocked_port(port):
    """A port that browsers block is named in the error, and not retried."""
    state = await failure(f"ws://127.0.0.1:{port}/")
    assert isinstance(state, ws.Closed)
    assert isinstance(state.error, ws.WSHandshakeError)
    assert state.error.permanent
    assert f"port {port}" in str(state.error)
