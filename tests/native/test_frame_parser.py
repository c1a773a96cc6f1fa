"""Compressed messages and messages in fragments."""

from tests.support.fake_tcp import receive

MB = 1_000_000


async def test_bomb(connect, server):
    """`max_size` limits the inflated size."""
    url = server("/flood", count=1, size=50 * MB, compress=1)
    _, sink = await connect(url, max_size=MB)
    assert (await sink.until_closed()).code == 1009
    assert sink.messages == []


async def test_many_fragments(connect, server):
    """A message may come in very many fragments; memory is bounded by its size."""
    transport, sink = await connect(server("/echo"))
    receive(transport, b"\x01\x01a" + b"\x00\x01b" * 50_000 + b"\x80\x00")
    assert sink.messages == ["a" + "b" * 50_000]


async def test_fragments_over_max_size(connect, server):
    """`max_size` limits the sum of the fragments."""
    transport, sink = await connect(server("/echo"), max_size=10)
    receive(transport, b"\x01\x06abcdef" + b"\x80\x06ghijkl")
    assert sink.messages == []
    assert sink.closings[0].code == 1009
