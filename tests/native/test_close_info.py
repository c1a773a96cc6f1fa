"""The code and the initiator that are reported when a connection ends."""

import pytest

from tests.support.fake_tcp import receive


async def test_two_faults_in_one_read(connect, server):
    """The first fault counts: text that is not UTF-8, whatever follows it."""
    transport, sink = await connect(server("/silent-close"))
    receive(transport, b"\x81\x01\xff" + b"\x83\x00")
    (closing,) = sink.closings
    assert (closing.code, closing.initiator) == (1007, "local")


@pytest.mark.parametrize(
    ("path", "code"), [("/bad-utf8", 1007), ("/bad-frame", 1002), ("/big", 1009)]
)
async def test_local_cause(connect, server, path, code):
    """If we fail the connection, our code is reported, whatever the peer does next."""
    _, sink = await connect(server(path), max_size=1000)
    close = await sink.until_closed()
    assert (close.code, close.initiator, close.was_clean) == (code, "local", False)
    assert close.error is not None
    assert sink.closings == [close]


async def test_bad_text_in_front_of_a_close(connect, server):
    """A Close behind the broken message does not hide who ended it and why."""
    transport, sink = await connect(server("/echo"))
    receive(transport, b"\x81\x01\xff" + b"\x88\x02\x03\xe8")
    close = await sink.until_closed()
    assert (close.code, close.initiator) == (1007, "local")
    assert sink.log == ["closing", "closed"]


async def test_bad_data_after_our_close(connect, server):
    """Once we have asked for the end, a failure does not change its cause."""
    transport, sink = await connect(server("/silent-close"))
    transport.close(1000, None)
    receive(transport, b"\x83\x00")
    transport._tcp.abort()
    close = await sink.until_closed()
    assert (close.code, close.initiator, close.was_clean) == (1006, "local", False)
    assert sink.log == ["closed"]
