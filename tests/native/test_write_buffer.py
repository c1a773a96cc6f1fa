"""The send buffers of all layers are counted: TCP, TLS, and TLS through a proxy."""

import asyncio

import pytest
import uvloop

from tests.support.client_driver import causes
from tests.support.server import Server
from tests.support.tcp_proxy import Direction, TcpProxy
from tests.support.transport_opener import Connect
from ws_common.client import WebSocketClient
from ws_common.options.heartbeat import Heartbeat
from ws_common.options.options import WebSocketOptions

MIB = 2**20
LIMIT = 64 * 1024

vm = WebSocketOptions.vm


async def fill_and_drain(connect, urls, key, **options) -> None:
    """The buffer grows if the peer does not read, and on_writable follows."""
    options = vm(write_limit=LIMIT, **options)
    transport, sink = await connect(urls(f"/stall?key={key}"), options=options)
    assert transport.buffered_amount == 0
    for _ in range(32):
        transport.send(bytes(MIB), text=False)
    waiting = transport.buffered_amount
    assert waiting > 16 * MIB
    await asyncio.sleep(0.05)
    assert waiting - 16 * MIB < transport.buffered_amount <= waiting
    assert sink.writable == 0
    await connect(urls(f"/release?key={key}"), options=options)
    await sink.until(lambda: sink.writable > 0)
    assert transport.buffered_amount <= LIMIT
    assert await sink.until_messages(32) == [str(MIB)] * 32


async def test_over_tls(connect, tls_server, trusting, key):
    """TLS passes all bytes to the transport below, whose buffer counts."""
    await fill_and_drain(connect, tls_server, key, ssl=trusting)


def test_over_tls_on_uvloop(platform, tls_server, trusting, key):
    """The same holds for the TLS of uvloop."""

    async def main() -> None:
        connect = Connect(platform)
        await fill_and_drain(connect, tls_server, key, ssl=trusting)
        connect.abort_all()
        await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def test_a_slow_upload_is_life(platform, serving_tls, trusting):
    """A connection whose buffer drains slowly through TLS is not declared dead."""
    beat = Heartbeat(interval=0.4, timeout=0.8)
    with Server(ssl=serving_tls("localhost")) as server:
        port = int(server.urls.base.rpartition(":")[2])
        slow = Direction(rate=3 * MIB)
        async with TcpProxy(port, up=slow) as proxy:
            options = vm(ssl=trusting, heartbeat=beat, proxy=None)
            async with WebSocketClient(options) as client:
                await client.connect(f"wss://localhost:{proxy.port}/collect?key=slow")
                adding = asyncio.ensure_future(client.add(bytes(15 * MIB)))
                await asyncio.sleep(2.5)
                assert causes(client) == ["connect", "opened"]
                adding.cancel()
                await asyncio.wait([adding])


async def https_proxy(reader, writer):
    """Opens a tunnel, as far as this test needs it."""
    request = await reader.readuntil(b"\r\n\r\n")
    port = request.split()[1].decode().rpartition(":")[2]
    up_reader, up_writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

    async def pipe(source, sink) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        sink.transport.abort()

    await asyncio.gather(pipe(reader, up_writer), pipe(up_reader, writer))


@pytest.fixture
def trusted(trusting, monkeypatch):
    """The default TLS context."""
    monkeypatch.setattr("ws_vm.route.default_context", lambda: trusting)


async def test_tls_within_tls(connect, tls_server, serving_tls, trusted, key):
    """A wss:// URL through an https:// proxy makes three layers."""
    proxy = await asyncio.start_server(
        https_proxy, "127.0.0.1", 0, ssl=serving_tls("localhost")
    )
    async with proxy:
        port = proxy.sockets[0].getsockname()[1]
        await fill_and_drain(
            connect, tls_server, key, proxy=f"https://localhost:{port}"
        )
        connect.abort_all()
        await asyncio.sleep(0.05)
