"""Options of the handshake: headers, redirects, TLS, sockets, proxies."""

import asyncio
import contextlib
import json
import os
import socket
import sys
from pathlib import Path

import pytest
import uvloop

from tests.support.recording_sink import Recording
from tests.support.server import Server
from tests.support.transport_opener import Connect
from ws_common.options.options import (
    CompressionOptions,
    ConnectRequest,
    WebSocketOptions,
)
from ws_common.vocabulary.errors import WSHandshakeError, WSNotConnectedError

vm = WebSocketOptions.vm


async def seen_headers(connect, url, **how) -> list[tuple[str, str]]:
    """The headers that the server has seen, names in lower case."""
    _, sink = await connect(url, **how)
    (message,) = await sink.until_messages(1)
    return [(name.lower(), value) for name, value in json.loads(message)]


async def test_headers(connect, server):
    """Headers arrive, with all their values; the user agent and the origin too."""
    headers = {"X-One": ("1",), "X-Many": ("a", "b"), "x-plain": "text"}
    options = vm(user_agent="example/1.0", origin="https://example.org")
    seen = await seen_headers(
        connect, server("/headers"), headers=headers, options=options
    )
    expected = {
        ("x-one", "1"),
        ("x-many", "a"),
        ("x-many", "b"),
        ("x-plain", "text"),
        ("user-agent", "example/1.0"),
        ("origin", "https://example.org"),
    }
    assert expected <= set(seen)


async def test_owned_headers(connect, platform, server, caplog):
    """Headers that the handshake owns are ignored."""
    headers = {"Sec-WebSocket-Key": "mine", "HOST": "evil.example", "X-Mine": "1"}
    seen = await seen_headers(connect, server("/headers"), headers=headers)
    assert ("x-mine", "1") in seen
    hosts = [value for name, value in seen if name == "host"]
    assert hosts == [server.base.removeprefix("ws://")]
    assert "mine" not in dict(seen)["sec-websocket-key"]


async def test_owned_headers_are_warned_of(platform, server, caplog):
    """Once for each name, however often the client connects."""
    options = vm()
    connector = platform.connector(options)
    for name in ("Sec-WebSocket-Key", "sec-websocket-key"):
        headers = {name: "s3cr3t", "Upgrade": "h2c"}
        request = ConnectRequest(url=server("/echo"), headers=headers, options=options)
        transport = await connector(request, Recording())
        transport.abort()
    await asyncio.sleep(0)
    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == 2
    assert "Sec-WebSocket-Key" in warned[0]
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize("status", [300, 302, 307])
async def test_redirect(connect, server, key, status):
    """A redirect is followed; the hop reports nothing."""
    url = server("/redirect", to="/greeting", status=status)
    _, sink = await connect(url)
    await sink.until_messages(2)
    assert sink.log == ["message", "message"]


async def test_redirect_is_not_remembered(platform, connect, server, key):
    """Each attempt asks the URL that was given."""
    url = server("/redirect", to=f"/echo?key={key}-end", status=301, key=key)
    for _ in range(2):
        await connect(url)
    _, sink = await connect(server("/count", key=key))
    assert await sink.until_messages(1) == ["2"]


async def test_redirect_to_another_origin(connect, server, other_server):
    """Credentials stay with the origin that they were given for."""
    headers = {"Authorization": "Bearer t", "Cookie": "c=1", "X-Harmless": "1"}
    url = server("/redirect", to=other_server("/headers"))
    seen = dict(await seen_headers(connect, url, headers=headers))
    assert "authorization" not in seen
    assert "cookie" not in seen
    assert seen["x-harmless"] == "1"


@pytest.mark.parametrize(
    "to", ["ftp://x/?q=s3cr3t", "//[", "wss://", "ws://joe:s3cr3t@:80/", "ws://a:b/"]
)
async def test_redirect_to_nowhere(connect, server, to):
    """What is no WebSocket URL is not followed."""
    with pytest.raises(WSHandshakeError, match="not followed") as caught:
        await connect(server("/redirect", to=to, status=308))
    assert caught.value.status == 308
    assert "s3cr3t" not in f"{caught.value}{caught.value.__cause__}"


async def test_redirect_by_http(connect, server, other_server):
    """A handshake is an HTTP request: the target may be named so."""
    to = other_server.http("/greeting") + "#fragment"
    _, sink = await connect(server("/redirect", to=to))
    assert len(await sink.until_messages(2)) == 2


async def test_redirect_without_a_place(connect, server):
    """Three hundred and something without a Location is a refusal."""
    with pytest.raises(WSHandshakeError, match="answered 304"):
        await connect(server("/refuse", status=304))


async def test_endless_redirect(connect, server, key):
    """A circle ends after ten."""
    with pytest.raises(WSHandshakeError, match="more than 10 redirects"):
        await connect(server("/redirect", key=key))
    _, sink = await connect(server("/count", key=key))
    assert await sink.until_messages(1) == ["11"]


async def test_redirect_must_not_leave_tls(connect, server, tls_server, trusting):
    """Never from wss to ws."""
    url = tls_server("/redirect", to=server("/echo"))
    with pytest.raises(WSHandshakeError, match="less secure"):
        await connect(url, options=vm(ssl=trusting))


async def test_redirect_into_tls(connect, server, tls_server, trusting):
    """From ws to wss with the TLS context of the options, but not its host name."""
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


async def test_tls(connect, tls_server, trusting):
    """wss:// works where the certificate is trusted."""
    transport, sink = await connect(tls_server("/echo"), options=vm(ssl=trusting))
    transport.send("x" * 1_000_000, text=True)
    await sink.until_messages(1)
    transport.close(1000, "bye")
    close = await sink.until_closed()
    assert (close.code, close.was_clean, close.initiator) == (1000, True, "local")


async def test_tls_backlog(connect, tls_server, trusting):
    """Pausing holds behind TLS, too."""
    sink = Recording()
    transport, _ = await connect(
        tls_server("/flood", count=2000, size=1000), sink=sink, options=vm(ssl=trusting)
    )
    transport.pause_reading()
    count = len(sink.messages)
    await asyncio.sleep(0.05)
    assert len(sink.messages) == count
    sink.react = lambda _: transport.pause_reading()
    while len(sink.messages) < 100:
        transport.resume_reading()
        await asyncio.sleep(0)
    sink.react = None
    transport.resume_reading()
    await sink.until_messages(2000)
    assert [int(str(m).partition(":")[0]) for m in sink.messages] == list(range(2000))


async def test_server_hostname(connect, serving_tls, trusting):
    """The certificate may be for another name than the URL's, if one says so."""
    with Server(ssl=serving_tls("example.org")) as other:
        options = vm(ssl=trusting, server_hostname="example.org")
        transport, sink = await connect(other.urls("/echo"), options=options)
        transport.send("ping", text=True)
        assert await sink.until_messages(1) == ["pong"]


async def test_ssl_is_ignored_without_tls(connect, server, trusting):
    """The same options serve ws:// and wss:// URLs."""
    options = vm(ssl=trusting, server_hostname="example.org")
    await connect(server("/echo"), options=options)


async def test_unix_socket(connect, tmp_path):
    """A Unix socket instead of TCP; the URL still names the resource."""
    path = str(tmp_path / "socket")
    with Server(unix_path=path):
        options = vm(unix_path=path, local_addr=("127.0.0.1", 0))
        transport, sink = await connect("ws://localhost/greeting", options=options)
        await sink.until_messages(2)
        transport.close(1000, None)
        await sink.until_closed()


async def test_local_address(connect, listen):
    """The socket is bound to the address that was asked for."""
    url, arrival = await listen()
    await connect(url, options=vm(local_addr=("127.0.0.2", 0)))
    peer = await arrival()
    assert peer.writer.get_extra_info("peername")[0] == "127.0.0.2"


async def test_proxy(connect, server):
    """Through a proxy by CONNECT, with what it wants to know."""
    asked: list[bytes] = []

    async def serve(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        host, port = asked[0].split()[1].decode().rsplit(":", 1)
        up_reader, up_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(pipe(reader, up_writer), pipe(up_reader, writer))

    async def pipe(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        options = vm(proxy=f"http://joe:secret@127.0.0.1:{port}")
        transport, sink = await connect(server("/echo"), options=options)
        transport.send("ping", text=True)
        assert await sink.until_messages(1) == ["pong"]
        assert b"Proxy-Authorization: Basic" in asked[0]
        transport.close(1000, None)
        await sink.until_closed()


async def test_proxy_of_the_environment(connect, server, monkeypatch):
    """The environment names it, unless the options say no."""
    monkeypatch.setenv("ws_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(WSNotConnectedError, match="refused"):
        await connect(server("/echo"), options=vm(proxy=True))
    for proxy in (False, None):
        await connect(server("/echo"), options=vm(proxy=proxy))


@contextlib.contextmanager
def black_hole(host: str, port: int):
    """An address that answers nothing: its queue of connections is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(2):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((host, port))
        yield


@pytest.mark.skipif(sys.platform != "linux", reason="fills a queue as Linux has it")
async def test_dead_address(connect, server, monkeypatch):
    """A name's first address is dead: the second is tried without much ado."""
    port = int(server.base.rpartition(":")[2])

    async def resolve(_host, port, **_how):
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, (address, port)) for address in ("127.0.0.3", "127.0.0.1")]

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    with black_hole("127.0.0.3", port):
        before = loop.time()
        await connect(f"ws://two-addresses.example:{port}/echo", options=vm(proxy=None))
        assert 0.2 < loop.time() - before < 2


def test_uvloop(platform):
    """On uvloop all of it works as well."""

    async def main() -> None:
        connect = Connect(platform)
        transport, sink = await connect(server.urls("/flood", count=2000, size=100))
        sink.react = lambda _: transport.pause_reading()
        while len(sink.messages) < 1000:
            transport.resume_reading()
            await asyncio.sleep(0)
        sink.react = None
        transport.resume_reading()
        await sink.until_messages(2000)
        transport.close(4000, "bye")
        assert (await sink.until_closed()).code == 4000

    with Server() as server, asyncio.Runner(loop_factory=uvloop.new_event_loop) as run:
        run.run(main())


def test_options_are_checked_early(platform):
    """What only this platform understands is checked when the connector is made."""
    with pytest.raises(TypeError, match="ssl must be"):
        platform.connector(vm(ssl=True))
    options = vm(compression=CompressionOptions(client_max_window_bits=8))
    with pytest.raises(ValueError, match="client_max_window_bits"):
        platform.connector(options)


FDS = Path("/proc/self/fd")


def open_files() -> int:
    return len(os.listdir(FDS))  # noqa: PTH208 - a path object would do more


@pytest.mark.skipif(not FDS.exists(), reason="open files are counted on Linux alone")
@pytest.mark.parametrize("stage", ["tcp", "tls", "http", "open", "refused"])
async def test_nothing_is_left(connect, server, tls_server, trusting, stage):
    """Cancelled at any stage, or refused, the connector leaves no socket behind."""

    async def silent(reader, writer):
        await reader.read()
        writer.close()

    quiet = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = quiet.sockets[0].getsockname()[1]
    url, options = {
        # RFC 5737: nobody is there.
        "tcp": ("ws://192.0.2.1/", vm(proxy=None)),
        "tls": (f"wss://127.0.0.1:{port}/", vm()),
        "http": (tls_server("/hang"), vm(ssl=trusting)),
        "open": (server("/greeting"), vm()),
        "refused": (server("/refuse"), vm()),
    }[stage]
    before = open_files()
    sink = Recording()
    task = asyncio.ensure_future(connect(url, sink=sink, options=options))
    if stage == "open":
        sink.react = lambda _: task.cancel()
    await asyncio.wait([task], timeout=0.1)
    task.cancel()
    with pytest.raises((asyncio.CancelledError, WSNotConnectedError)):
        await task
    quiet.close()
    for _ in range(200):
        await asyncio.sleep(0.01)
        if open_files() <= before - 1:  # the listening socket is closed
            break
    assert open_files() <= before - 1
    assert "closed" not in sink.log


async def test_no_secrets_in_logs(connect, server, caplog):
    """Even at DEBUG neither a header nor a query value is logged."""
    caplog.set_level("DEBUG", logger="ws")
    headers = {"Authorization": "Bearer s3cr3t"}
    transport, sink = await connect(server("/headers", q="s3cr3t"), headers=headers)
    await sink.until_messages(1)
    transport.send("s3cr3t", text=True)
    await sink.until_messages(2)
    assert "connected to" in caplog.text
    assert "s3cr3t" not in caplog.text
