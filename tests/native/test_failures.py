"""The messages and attributes of errors of connecting."""

import datetime as dt
import os
import ssl

import pytest

from tests.support.raw_http_server import answering
from tests.support.server import Server
from ws_common.client import WebSocketClient
from ws_common.lifecycle.retry import ConnectionRetryInterval
from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.errors import (
    WSError,
    WSHandshakeError,
    WSInvalidUrlError,
    WSNotConnectedError,
    WSUnsupportedError,
)
from ws_vm.failures import translate_error

vm = WebSocketOptions.vm
NOON = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC)


async def failure(connect, url, **options) -> WSNotConnectedError:
    with pytest.raises(WSNotConnectedError) as caught:
        await connect(url, options=vm(**options))
    return caught.value


async def test_refused(connect, server):
    """Status, headers and Retry-After are attributes of the error."""
    error = await failure(connect, server("/refuse", status=503, retry_after="7"))
    assert isinstance(error, WSHandshakeError)
    assert (error.status, error.retry_after) == (503, 7.0)
    assert error.headers["access-control-allow-origin"] == "*"
    assert "503 Service Unavailable" in str(error)


async def test_unknown_host(connect):
    """The message names the host, but not the values of the query."""
    error = await failure(connect, "ws://unknown.invalid/?token=s3cr3t", proxy=None)
    assert "unknown.invalid" in str(error)
    assert "does not resolve" in str(error)
    assert "s3cr3t" not in str(error)
    assert isinstance(error.__cause__, OSError)


async def test_nobody_listens(connect):
    error = await failure(connect, "ws://127.0.0.1:1/")
    assert "connection refused" in str(error)
    assert isinstance(error.__cause__, ConnectionRefusedError)


async def test_garbage(connect, server):
    """What is not HTTP fails at once, though the peer keeps TCP open."""
    error = await failure(connect, server("/garbage"))
    assert isinstance(error, WSHandshakeError)
    assert error.status is None
    assert "does not speak HTTP" in str(error)


async def test_half_an_answer(connect, server):
    error = await failure(connect, server("/half-header"))
    assert isinstance(error, WSHandshakeError)
    assert "hung up in the middle" in str(error)


async def test_endless_headers(connect, server):
    error = await failure(connect, server("/endless-headers"))
    assert isinstance(error, WSHandshakeError)
    assert "headers" in str(error)


async def test_not_a_websocket_server(connect, server):
    """A 404 of a plain HTTP server is a refusal like any other."""
    error = await failure(connect, server("/no-such-path"))
    assert isinstance(error, WSHandshakeError)
    assert error.status == 404


async def test_untrusted_certificate(connect, tls_server):
    """No retry can make it better."""
    error = await failure(connect, tls_server("/echo"))
    assert isinstance(error, WSHandshakeError)
    assert error.permanent
    assert "certificate is not trusted" in str(error)
    assert isinstance(error.__cause__, ssl.SSLCertVerificationError)


async def test_expired_certificate(connect, serving_tls, trusting):
    context = serving_tls("localhost", not_after=NOON - dt.timedelta(days=3650))
    with Server(ssl=context) as expired:
        error = await failure(connect, expired.urls("/echo"), ssl=trusting)
    assert isinstance(error, WSHandshakeError)
    assert "certificate has expired" in str(error)


async def test_misnamed_certificate(connect, serving_tls, trusting):
    with Server(ssl=serving_tls("example.org")) as misnamed:
        error = await failure(connect, misnamed.urls("/echo"), ssl=trusting)
    assert isinstance(error, WSHandshakeError)
    assert "for another host name" in str(error)
    assert "example.org" in str(error) or "localhost" in str(error)


async def test_refused_by_http_1_0(connect):
    """A refusal in HTTP/1.0 keeps its status; an acceptance is not valid."""
    old = b"HTTP/1.0 401 Unauthorized\r\nRetry-After: 7\r\n\r\nHTTP/1.0 body"
    async with answering(old) as address:
        error = await failure(connect, f"ws://{address}/", proxy=None)
    assert isinstance(error, WSHandshakeError)
    assert (error.status, error.retry_after) == (401, 7.0)
    async with answering(b"HTTP/1.0 101 Switching Protocols\r\n\r\n") as address:
        error = await failure(connect, f"ws://{address}/", proxy=None)
    assert "expected HTTP/1.1" in str(error)


async def test_redirected_to_two_places(connect):
    """A redirect that cannot be followed is a refusal, and keeps its status."""
    twice = b"HTTP/1.1 302 Found\r\n" + b"Location: /x\r\n" * 2 + b"\r\n"
    async with answering(twice) as address:
        error = await failure(connect, f"ws://{address}/", proxy=None)
    assert isinstance(error, WSHandshakeError)
    assert error.status == 302


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (b"200 OK", "serves web pages"),
        (b"404 Not Found", "is the path right?"),
        (b"511 Network Authentication Required", "log in to this network first"),
    ],
)
async def test_likely_mistakes(connect, status, hint):
    """Some statuses have one reason in most cases."""
    response = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"
    async with answering(response) as address:
        error = await failure(connect, f"ws://{address}/", proxy=None)
    assert isinstance(error, WSHandshakeError)
    assert hint in str(error)


async def test_tls_is_expected(connect):
    """ws:// to a port that speaks TLS, which says nothing to a plain request."""
    async with answering(b"") as address:
        error = await failure(connect, f"ws://{address}/", proxy=None)
    assert "does it expect TLS (wss://) or HTTP/2 on this port?" in str(error)


async def test_no_tls_there(connect):
    """wss:// to a port that speaks no TLS."""
    async with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        error = await failure(connect, f"wss://{address}/")
    assert "does not speak TLS on this port: is it ws://, not wss://?" in str(error)


async def test_tls_only(connect, tls_server):
    """ws:// to a port that speaks TLS alone."""
    await failure(connect, tls_server("/echo").replace("wss:", "ws:"))


@pytest.mark.parametrize(
    "proxy", ["gopher://joe:s3cr3t@x", "http://joe:s3cr3t@x/path", "http://"]
)
async def test_bad_proxy_in_the_environment(connect, server, monkeypatch, proxy):
    """The error does not show its password, and no retry can make it better."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ws_proxy", proxy)
    error = await failure(connect, server("/echo"), proxy=True)
    assert isinstance(error, WSInvalidUrlError)
    assert "proxy" in str(error)
    assert "s3cr3t" not in f"{error}{error.__cause__}"


async def test_proxy_refuses(connect, server):
    """The message says that the status is the proxy's."""
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
    async with answering(refusal) as address:
        error = await failure(connect, server("/echo"), proxy=f"http://{address}")
    assert isinstance(error, WSHandshakeError)
    assert error.status == 407
    assert "the proxy answered 407" in str(error)


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_no_proxy_there(connect, server, scheme):
    """Something that is not a proxy answers."""
    if scheme == "socks5":
        pytest.importorskip("python_socks")
    async with answering(b"220 smtp.example.org ESMTP\r\n") as address:
        error = await failure(connect, server("/echo"), proxy=f"{scheme}://{address}")
    assert "the proxy failed" in str(error)


def test_missing_library():
    """The message names the library that a SOCKS proxy needs."""
    error = translate_error(
        ImportError("a SOCKS proxy requires python-socks"), "ws://x/"
    )
    assert isinstance(error, WSUnsupportedError)
    assert "python-socks" in str(error)


def test_anything_else():
    """An unexpected error becomes an error of ours, with its cause."""
    cause = RuntimeError("what?")
    error = translate_error(cause, "ws://x/?q=s3cr3t")
    assert isinstance(error, WSError)
    assert error.__cause__ is cause
    assert "RuntimeError: what?" in str(error)
    assert "s3cr3t" not in str(error)


def tracebacks(error: BaseException | None) -> list[object]:
    """Return the tracebacks of an error and of its causes."""
    found = []
    while error is not None:
        found.append(error.__traceback__)
        error = error.__cause__ or error.__context__
    return found


@pytest.mark.parametrize(
    "path", ["/refuse", "/half-header", "/abort-at-once", "/bad-utf8", "/bad-frame"]
)
async def test_history_keeps_no_frames(platform, server, path):
    """Errors in the history do not keep their connections alive."""
    interval = ConnectionRetryInterval(
        min=0.01, max=0.02, max_attempts=3, retry_if=lambda _: True
    )
    options = vm(connection_retry_interval=interval, proxy=None)
    client = WebSocketClient.start(server(path), options)
    with pytest.raises(WSNotConnectedError):
        async for _ in client:
            pass
    errors = [getattr(entry.state, "error", None) for entry in client.history]
    kept = [error for error in errors[:-1] if error is not None]
    assert len(kept) == 2
    assert [tracebacks(error) for error in kept] == [
        [None] * len(tracebacks(error)) for error in kept
    ]
    await client.close()
