"""The ways to a server: TCP, TLS, Unix sockets and proxies."""

import asyncio
import socket
import sys

import pytest
import uvloop

from tests.support.recording_sink import Recording
from tests.support.server import Server
from tests.support.silent_ports import silent
from tests.support.transport_opener import Connect
from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.errors import WSNotConnectedError

vm = WebSocketOptions.vm


async def test_tls(connect, tls_server, trusting):
    """wss:// works where the certificate is trusted."""
    transport, sink = await connect(tls_server("/echo"), options=vm(ssl=trusting))
    transport.send("x" * 1_000_000, text=True)
    await sink.until_messages(1)
    transport.close(1000, "bye")
    close = await sink.until_closed()
    assert (close.code, close.was_clean, close.initiator) == (1000, True, "local")


async def test_tls_backlog(connect, tls_server, trusting):
    """A pause works over TLS too."""
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
    """`server_hostname` is the name that the certificate must be for."""
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
    """A tunnel through a proxy is opened with CONNECT and credentials."""
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
    """The proxy of the environment is used, unless the options disable it."""
    monkeypatch.setenv("ws_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(WSNotConnectedError, match="refused"):
        await connect(server("/echo"), options=vm(proxy=True))
    for proxy in (False, None):
        await connect(server("/echo"), options=vm(proxy=proxy))


@pytest.mark.skipif(sys.platform != "linux", reason="fills a queue as Linux has it")
async def test_dead_address(connect, server, monkeypatch):
    """If the first address of a name is dead, the second is tried after the delay."""
    port = int(server.base.rpartition(":")[2])

    async def resolve(_host, port, **_how):
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, (address, port)) for address in ("127.0.0.3", "127.0.0.1")]

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    with silent("127.0.0.3", port, full=True):
        before = loop.time()
        await connect(f"ws://two-addresses.example:{port}/echo", options=vm(proxy=None))
        assert 0.2 < loop.time() - before < 2


def test_uvloop(platform):
    """Messages, pauses and the Close work on uvloop too."""

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
