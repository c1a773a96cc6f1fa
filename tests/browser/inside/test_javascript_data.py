"""Data of JavaScript: whatever `WebSocket.send()` accepts is sent as its bytes.

The program has it from the page: from a file, a canvas, an audio node, a `fetch`.
"""

import time

import js
import pytest
from pyodide.ffi import to_js

import ws

RAW = bytes(range(1, 25)) + b"\xff" * 8
"""32 bytes: whole elements of every kind of array, and some negative ones."""

ARRAYS = [
    "Int8Array",
    "Uint16Array",
    "Int16Array",
    "Uint32Array",
    "Int32Array",
    "Float32Array",
    "Float64Array",
    "BigInt64Array",
    "BigUint64Array",
]
"""Typed arrays whose elements are not bytes. Those with bytes are in `BYTES`."""

BYTES = ["Uint8Array", "Uint8ClampedArray"]


def buffer(raw=RAW):
    """An `ArrayBuffer` of these bytes."""
    return js.Uint8Array.new(to_js(raw)).buffer


def blob(*parts):
    """A `Blob` of these parts."""
    return js.Blob.new(to_js(parts))


def viewing(kind, *, begin=8, size=16):
    """An array or a `DataView` of a part of a buffer that is larger."""
    constructor = getattr(js, kind)
    each = getattr(constructor, "BYTES_PER_ELEMENT", 1)
    return constructor.new(buffer(), begin, size // each)


async def echoed(server, data, **how):
    """Send it to an echo server, and return the response as bytes."""
    async with ws.connect(server("/echo")) as client:
        await client.add(data, **how)
        answer = await client.recv()
        assert len(answer) == client.metrics.transferred_size
    return answer


@pytest.mark.parametrize("kind", [*BYTES, *ARRAYS])
async def test_a_typed_array(server, kind):
    """A typed array is sent as its bytes, whatever its elements are."""
    assert RAW == await echoed(server, getattr(js, kind).new(buffer()))


async def test_numbers(server):
    """Three floats are sent as twelve bytes."""
    array = js.Float32Array.of(1, 2.5, -3)
    assert array.to_bytes() == await echoed(server, array)


@pytest.mark.parametrize(
    "kind",
    [
        *BYTES,
        "Float32Array",
        "BigInt64Array",
        "DataView",
    ],
)
async def test_a_part_of_a_buffer(server, kind):
    """Only the part of the buffer is sent that the view covers."""
    assert RAW[8:24] == await echoed(server, viewing(kind))


@pytest.mark.parametrize("raw", [RAW, b""], ids=["some", "none"])
async def test_a_buffer(server, raw):
    """An `ArrayBuffer` is sent as its bytes."""
    assert raw == await echoed(server, buffer(raw))


async def test_a_blob(server):
    """A `Blob` is sent as its bytes, though Python cannot read them at once."""
    assert b"a\x00b" == await echoed(server, blob("a", buffer(b"\x00b")))


async def test_blobs_among_others(server):
    """The order of messages is kept."""
    sent = ["one", blob("two"), b"three", blob("x" * 100_000), "four", buffer(b"five")]
    back = ["one", b"two", b"three", b"x" * 100_000, "four", b"five"]
    async with ws.connect(server("/echo")) as client:
        for data in sent:
            await client.add(data)
        assert back == [await client.recv() for _ in back]


async def test_text(server):
    """`text=True` sends UTF-8 bytes as text, from whichever kind of buffer."""
    assert "grün" == await echoed_text(server, buffer("grün".encode()))


async def echoed_text(server, data):
    async with ws.connect(server("/echo")) as client:
        await client.add(data, text=True)
        return await client.recv()


async def test_a_blob_as_text(server):
    """A Blob as text is refused, and the connection stays open."""
    async with ws.connect(server("/echo")) as client:
        with pytest.raises(ws.WSUnsupportedDataError, match="Blob"):
            await client.add(blob("a"), text=True)
        await client.add("still here")
        assert "still here" == await client.recv()


async def test_an_array_of_integers(server):
    """A JavaScript array is refused like any other sequence."""
    assert b"\x01\x02\xff" == await echoed(server, js.Array.of(1, 2, 255))


async def test_changed_behind_our_back(server):
    """Later changes of a buffer do not change a message that waits in the outbox."""
    array = js.Float32Array.of(1, 2, 3)
    before = array.to_bytes()
    client = ws.WebSocketClient.start(server("/echo"))
    async with client:
        receipt = client.add_nowait(array)
        array.fill(0)
        await receipt
        assert before == await client.recv()


async def test_no_loop_over_its_bytes(server):
    """Sending a large array takes about as long as sending the same `bytes`."""
    raw = bytes(900_000)
    array = js.Uint8Array.new(len(raw))
    best = {id(raw): 1e9, id(array): 1e9}
    async with ws.connect(server("/echo")) as client:
        for data in (raw, array) * 3:
            began = time.perf_counter()
            await client.add(data)
            took = time.perf_counter() - began
            best[id(data)] = min(best[id(data)], took)
            assert len(raw) == len(await client.recv())
    assert best[id(array)] < 10 * best[id(raw)]


@pytest.mark.parametrize("name", ["Object", "Map", "Date"])
async def test_what_is_no_data(server, name):
    """It is refused with an explanation, and the connection stays open."""
    async with ws.connect(server("/echo")) as client:
        with pytest.raises(ws.WSUnsupportedDataError):
            await client.add(getattr(js, name).new())
        await client.add("still here")
        assert "still here" == await client.recv()
