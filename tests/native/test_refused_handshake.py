"""Responses other than 101: their status is never lost."""

import asyncio

import pytest

import ws
from tests.support.raw_http_server import answering

TWO_LOCATIONS = (
    b"HTTP/1.1 302 Found\r\n"
    b"Location: /one\r\n"
    b"Location: /two\r\n"
    b"Retry-After: 7\r\n"
    b"Content-Length: 0\r\n\r\n"
)

OLD = b"HTTP/1.0 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"

OLD_AND_BUSY = (
    b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
)


async def failure(url: str, **options) -> ws.WSError:
    """Return the error that connecting raises."""
    chosen = ws.WebSocketOptions.vm(proxy=None, **options)
    with pytest.raises(ws.WSNotConnectedError) as caught:
        await ws.connect(url, chosen)
    return caught.value


@pytest.mark.parametrize(
    ("response", "status"),
    [
        pytest.param(TWO_LOCATIONS, 302, id="two-locations"),
        pytest.param(OLD, 401, id="http-1.0"),
        pytest.param(OLD_AND_BUSY, 503, id="http-1.0-busy"),
    ],
)
async def test_status(response, status):
    """The status is in the error, whatever else is wrong with the response."""
    async with answering(response) as address:
        error = await failure(f"ws://{address}/")
        assert isinstance(error, ws.WSHandshakeError)
        assert error.status == status


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(TWO_LOCATIONS, id="two-locations"),
        pytest.param(OLD_AND_BUSY, id="http-1.0-busy"),
    ],
)
async def test_retry_after(response):
    """Retry-After is in the error too."""
    async with answering(response) as address:
        error = await failure(f"ws://{address}/")
        assert getattr(error, "retry_after", None) == 7
        assert error.headers["retry-after"] == "7"


async def test_a_refusal_is_final():
    """A 401 is not retried because its HTTP is old."""
    async with answering(OLD) as address, asyncio.timeout(0.5):
        error = await failure(
            f"ws://{address}/", connection_retry_interval=(0.01, 0.02)
        )
        assert isinstance(error, ws.WSHandshakeError)
        assert error.status == 401


@pytest.mark.parametrize("user", ["token@", "token:@", "@"])
async def test_a_user_without_a_password(server, user):
    """It is accepted; the password is empty."""
    url = server("/echo").replace("://", f"://{user}")
    options = ws.WebSocketOptions.vm(proxy=None, connection_retry_interval=(0.01, 0.02))
    async with asyncio.timeout(0.5), ws.connect(url, options) as client:
        await client.add("hello")
        assert await client.recv() == "hello"
