"""Floods, where the browser collects messages and Python fetches them."""

import pytest

import ws
from ws_js import coalescer
from ws_js.pyodide_socket import ProxiedSocket

COUNT = 20_000


@pytest.fixture
def collected(monkeypatch):
    """The arrays in which messages were collected."""
    arrays = []
    collect = ProxiedSocket.collect_messages

    def collecting(wire):
        arrays.append(collect(wire))
        return arrays[-1]

    monkeypatch.setattr(ProxiedSocket, "collect_messages", collecting)
    return arrays


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("size", [16, 3000])
async def test_flood(server, collected, monkeypatch, size, binary):
    """All messages arrive, in order, before the end."""
    monkeypatch.setattr(coalescer, "MIN_RATE", 200)  # not every engine is as fast
    count = COUNT if size < 1000 else COUNT // 10
    kind = {"binary": 1} if binary else {}
    url = server("/flood", count=count, size=size, code=4001, **kind)
    async with ws.connect(url) as client:
        for number in range(count):
            message = await client.recv()
            text = message.decode() if binary else message
            assert text.partition(":")[0] == str(number)
            assert len(text) == size
        with pytest.raises(ws.WSConnectionClosedError) as caught:
            await client.recv()
        assert caught.value.close_code == 4001
    assert collected


async def test_mixed(connect, server, collected, monkeypatch):
    """Messages of all kinds among short texts arrive as they were sent."""
    # Messages are collected from the second answer on.
    for name in ("MIN_RATE", "COUNTING_TIME", "MIN_MESSAGES"):
        monkeypatch.setattr(coalescer, name, 0)
    sent = ["a", "", "\0", "b", "a\0b", "[object ArrayBuffer]", "é😀\ufeff", "c"] * 2
    sent += [b"", b"\x00\xff", "d", "x" * 5000, "e", bytes(5000), "y" * 70_000] * 2
    sent += ["short and plain"] * 200
    sent *= 3
    transport, sink = await connect(server("/echo"))
    for data in sent:
        transport.send(data, text=isinstance(data, str))
    assert await sink.until_messages(len(sent)) == sent
    assert collected
