"""The reason of a close, with and without a code.

A Close frame holds a reason of at most 123 bytes of UTF-8 behind a code, or nothing
(RFC 6455 section 5.5.1). What may not be sent raises before anything is touched; but
`close()` always closes, and reports what it had to leave out.
"""

import pytest

import ws

pytestmark = pytest.mark.usefixtures("sockets")

TOO_LONG = "x" * 124
UNSENDABLE = {
    "too long": TOO_LONG,
    "too long in UTF-8": "é" * 62,
    "a lone surrogate": "\ud800",
    "no string": b"bye",
}

unsendable = pytest.mark.parametrize("reason", UNSENDABLE.values(), ids=UNSENDABLE)


async def assert_untouched(client):
    """Check that the connection is open, and answers."""
    assert client.state.is_open
    await client.add("still here")
    assert "still here" == await client.recv()


@unsendable
async def test_with_a_code(server, sockets, reason):
    """It raises, and the connection stays open."""
    async with ws.connect(server("/echo")) as client:
        with pytest.raises(ws.WSInvalidCloseError, match="reason"):
            await client.disconnect(1000, reason)
        await assert_untouched(client)


@unsendable
async def test_without_a_code(server, sockets, reason):
    """It raises nevertheless."""
    async with ws.connect(server("/echo")) as client:
        with pytest.raises(ws.WSInvalidCloseError, match="reason"):
            await client.disconnect(None, reason)
        await assert_untouched(client)


async def test_a_good_one_without_a_code(server, sockets):
    """No reason may be sent without a code: it is refused, and not left out."""
    async with ws.connect(server("/echo")) as client:
        with pytest.raises(ws.WSInvalidCloseError, match="code"):
            await client.disconnect(None, "bye")
        await assert_untouched(client)


@pytest.mark.parametrize("reason", [(), ("",), (None,)], ids=["default", "empty", "no"])
async def test_no_reason_and_no_code(server, sockets, reason):
    """The default reason goes with the default code: an empty Close is sent."""
    async with ws.connect(server("/echo")) as client:
        await client.disconnect(None, *reason)
        assert isinstance(client.state, ws.Closed)
        assert client.state.error is None


@pytest.mark.parametrize("code", [1000, None])
@unsendable
async def test_close_closes(server, sockets, code, reason):
    """The Close is sent without a reason that is invalid, and an event reports it."""
    events = []
    options = ws.WebSocketOptions(on_event=events.append)
    client = ws.WebSocketClient(options)
    await client.connect(server("/echo"))
    await client.close(code, reason)
    assert client.is_closed
    errors = [event.details.get("error") for event in events]
    assert any(isinstance(error, ws.WSInvalidCloseError) for error in errors)


async def test_the_longest(server, sockets):
    """123 bytes are sent as they are."""
    reason = "é" * 61 + "x"
    async with ws.connect(server("/echo")) as client:
        await client.disconnect(4000, reason)
        assert isinstance(client.state, ws.Closed)
        assert (4000, reason) == (client.state.close_code, client.state.close_reason)
