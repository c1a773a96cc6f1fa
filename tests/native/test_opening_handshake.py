"""The response to the opening handshake, and what comes with it or instead of it."""

import asyncio
import json

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.fake_tcp import FakeTcp, client_protocol, receive, unopened
from tests.support.idle import until_idle
from tests.support.recording_sink import Recording
from ws_common.options.options import CompressionOptions, WebSocketOptions
from ws_vm.transport import VmTransport


async def test_refused_and_lost_at_once():
    """A refused connection reports nothing, even if it is lost at once."""
    sink = Recording()
    transport, _ = unopened(sink)
    receive(transport, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    transport.connection_lost(None)
    with pytest.raises(InvalidStatus) as caught:
        await transport.wait_for_handshake()
    assert caught.value.response.status_code == 403
    assert sink.log == []


async def test_greeting_before_the_connector_returns(connect, server):
    """Frames in the segment of the 101 are pushed right away."""
    sink = Recording()
    await connect(server("/greeting"), sink=sink)
    assert sink.messages == ["hello", b"\x00\x01\xfe\xff"]


async def test_cancelled_after_the_handshake(connect, server):
    """A connector that is cancelled after the response reports no end."""
    sink = Recording()
    task = asyncio.ensure_future(connect(server("/greeting"), sink=sink))
    sink.react = lambda _: task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_idle()
    assert set(sink.log) == {"message"}


@pytest.mark.parametrize(
    ("compression", "offer"),
    [
        (True, "permessage-deflate; client_max_window_bits"),
        (False, None),
        (
            CompressionOptions(
                client_max_window_bits=10,
                server_max_window_bits=11,
                client_no_context_takeover=True,
                server_no_context_takeover=True,
            ),
            (
                "permessage-deflate; server_no_context_takeover; "
                "client_no_context_takeover; server_max_window_bits=11; "
                "client_max_window_bits=10"
            ),
        ),
    ],
)
async def test_compression_offer(connect, server, compression, offer):
    """The offer follows the options, and what is negotiated works."""
    options = WebSocketOptions.vm(compression=compression)
    transport, sink = await connect(server("/echo", compress=1), options=options)
    _, seen = await connect(server("/headers"), options=options)
    (headers,) = await seen.until_messages(1)
    asked = {name.lower(): value for name, value in json.loads(str(headers))}
    assert asked.get("sec-websocket-extensions") == offer
    assert bool(transport.handshake.extensions) == (offer is not None)
    for data in ("x" * 10_000, "y" * 10_000, "é" * 100_000):
        transport.send(data, text=True)
    assert len(await sink.until_messages(3)) == 3
    assert sink.messages[2] == "é" * 100_000


@pytest.mark.parametrize("ends", [False, True])
async def test_a_server_that_speaks_before_tls_is_known_to_be_there(ends):
    """With TLS 1.2 a refusal may come in the flight that ends the handshake of TLS."""
    sink = Recording()
    library = client_protocol(None, deflate=False)
    transport = VmTransport(library, library.connect(), WebSocketOptions(), sink)
    receive(transport, b"HTTP/1.1 503 Service Unavailable\r\n")
    receive(transport, b"Content-Length: 0\r\n\r\n")
    if ends:
        transport.eof_received()
    transport.connection_made(FakeTcp())
    if ends:
        transport.connection_lost(None)

    with pytest.raises(InvalidStatus) as caught:
        await transport.wait_for_handshake()
    assert caught.value.response.status_code == 503
    assert sink.log == []
