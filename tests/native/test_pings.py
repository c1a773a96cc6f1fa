"""Which Pings a Pong answers."""

from tests.support.fake_tcp import receive


async def test_pong_of_the_last_ping_alone(connect, server):
    """One Pong resolves all Pings before it."""
    transport, _ = await connect(server("/no-pong"))
    first, second = transport.ping(), transport.ping()
    payload = list(transport._pings)[-1]
    receive(transport, b"\x8a\x04" + payload)
    assert await first >= await second >= 0


async def test_pong_of_the_first_ping_alone(connect, server):
    """A Pong does not resolve later Pings."""
    transport, _ = await connect(server("/no-pong"))
    first, second = transport.ping(), transport.ping()
    payload = next(iter(transport._pings))
    receive(transport, b"\x8a\x04" + payload)
    assert await first >= 0
    assert not second.done()


async def test_unsolicited_pong(connect, server):
    """An unsolicited Pong resolves nothing."""
    transport, sink = await connect(server("/no-pong"))
    pong = transport.ping()
    receive(transport, b"\x8a\x05other")
    assert not pong.done()
    transport.send("ping", text=True)
    assert await sink.until_messages(1) == ["pong"]


async def test_cancelled_ping_is_forgotten(connect, server):
    """The Pong of a cancelled ping is ignored."""
    transport, _ = await connect(server("/echo"))
    transport.ping().cancel()
    assert await transport.ping() >= 0
