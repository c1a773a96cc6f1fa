"""The CONNECT request to an HTTP proxy, and its response."""

import asyncio

import pytest
from websockets.exceptions import InvalidProxyMessage, InvalidProxyStatus
from websockets.uri import parse_uri

from tests.support.fake_tcp import FakeTcp
from ws_vm.proxies import parse_proxy
from ws_vm.proxy_tunnel import MAX_HEAD, open_tunnel


async def tunnel(response: bytes, proxy: str = "http://p", url: str = "wss://host/"):
    """Open a tunnel; returns what was sent to the proxy."""
    tcp, answer = FakeTcp(), asyncio.StreamReader(limit=MAX_HEAD)
    answer.feed_data(response)
    answer.feed_eof()
    await open_tunnel(tcp, answer, parse_proxy(proxy), parse_uri(url), "agent/1")
    return tcp.written


async def test_request():
    """It names the host with its port, and has the credentials of the proxy's URL."""
    sent = await tunnel(b"HTTP/1.1 200 OK\r\n\r\n", "http://joe:secret@p")
    request_line, *headers = sent.decode().split("\r\n")
    assert request_line == "CONNECT host:443 HTTP/1.1"
    assert "Host: host" in headers
    assert "User-Agent: agent/1" in headers
    assert "Proxy-Authorization: Basic am9lOnNlY3JldA==" in headers


@pytest.mark.parametrize("status", [b"HTTP/1.1 204 No Content", b"HTTP/1.0 200"])
async def test_success(status):
    """Any status of the 200s opens the tunnel, in HTTP/1.0 and without a reason too."""
    await tunnel(status + b"\r\n\r\n")


async def test_refusal():
    """Another status is an error that has the response."""
    with pytest.raises(InvalidProxyStatus) as caught:
        await tunnel(b"HTTP/1.1 407 Who are you\r\nX-Why: a: b\r\n\r\n")
    response = caught.value.response
    assert response.status_code == 407
    assert response.headers["X-Why"] == "a: b"


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"220 smtp.example.org\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 abc\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n", "hung up"),
        (b"", "hung up"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2 * MAX_HEAD, "have no end"),
    ],
)
async def test_not_http(response, reason):
    """What is not a response is an error that says so."""
    with pytest.raises(InvalidProxyMessage, match=reason):
        await tunnel(response)
