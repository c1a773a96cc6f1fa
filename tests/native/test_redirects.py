"""Redirects of the opening handshake: which are followed, and with which headers."""

import pytest

from tests.support.seen_headers import seen_headers
from tests.support.server import Server
from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.errors import WSHandshakeError

vm = WebSocketOptions.vm


@pytest.mark.parametrize("status", [300, 302, 307])
async def test_redirect(connect, server, key, status):
    """A redirect is followed, and reports nothing."""
    url = server("/redirect", to="/greeting", status=status)
    _, sink = await connect(url)
    await sink.until_messages(2)
    assert sink.log == ["message", "message"]


async def test_redirect_is_not_remembered(platform, connect, server, key):
    """Each attempt begins with the URL that was given."""
    url = server("/redirect", to=f"/echo?key={key}-end", status=301, key=key)
    for _ in range(2):
        await connect(url)
    _, sink = await connect(server("/count", key=key))
    assert await sink.until_messages(1) == ["2"]


async def test_redirect_to_another_origin(connect, server, other_server):
    """Credentials are not sent to another origin."""
    headers = {"Authorization": "Bearer t", "Cookie": "c=1", "X-Harmless": "1"}
    url = server("/redirect", to=other_server("/headers"))
    seen = dict(await seen_headers(connect, url, headers=headers))
    assert "authorization" not in seen
    assert "cookie" not in seen
    assert seen["x-harmless"] == "1"


@pytest.mark.parametrize(
    "to", ["ftp://x/?q=s3cr3t", "//[", "wss://", "ws://joe:s3cr3t@:80/", "ws://a:b/"]
)
async def test_redirect_to_an_unusable_url(connect, server, to):
    """A redirect to an invalid URL is not followed."""
    with pytest.raises(WSHandshakeError, match="not followed") as caught:
        await connect(server("/redirect", to=to, status=308))
    assert caught.value.status == 308
    assert "s3cr3t" not in f"{caught.value}{caught.value.__cause__}"


async def test_redirect_by_http(connect, server, other_server):
    """The target may be an http(s) URL."""
    to = other_server.http("/greeting") + "#fragment"
    _, sink = await connect(server("/redirect", to=to))
    assert len(await sink.until_messages(2)) == 2


async def test_redirect_without_a_place(connect, server):
    """A 3xx status without a Location is a refusal."""
    with pytest.raises(WSHandshakeError, match="answered 304"):
        await connect(server("/refuse", status=304))


async def test_endless_redirect(connect, server, key):
    """A loop of redirects ends after ten."""
    with pytest.raises(WSHandshakeError, match="more than 10 redirects"):
        await connect(server("/redirect", key=key))
    _, sink = await connect(server("/count", key=key))
    assert await sink.until_messages(1) == ["11"]


async def test_redirect_must_not_leave_tls(connect, server, tls_server, trusting):
    """A redirect from wss to ws is not followed."""
    url = tls_server("/redirect", to=server("/echo"))
    with pytest.raises(WSHandshakeError, match="less secure"):
        await connect(url, options=vm(ssl=trusting))


async def test_redirect_into_tls(connect, server, tls_server, trusting):
    """A redirect from ws to wss uses the TLS context, but not `server_hostname`."""
    options = vm(ssl=trusting, server_hostname="example.org")
    url = server("/redirect", to=tls_server("/greeting"))
    _, sink = await connect(url, options=options)
    assert len(await sink.until_messages(2)) == 2


async def test_redirect_on_a_unix_socket(connect, tmp_path):
    """On a Unix socket only paths of the same origin make sense."""
    path = str(tmp_path / "socket")
    options = vm(unix_path=path)
    with Server(unix_path=path):
        url = "ws://localhost/redirect?to="
        _, sink = await connect(url + "/greeting", options=options)
        await sink.until_messages(2)
        with pytest.raises(WSHandshakeError, match="Unix socket"):
            await connect(url + "ws://example.org/", options=options)
