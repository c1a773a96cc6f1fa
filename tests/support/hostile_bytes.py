"""What a hostile server sends. The same seed gives the same bytes.

A `Script` is what one connection is answered: a handshake, bent in some way or not,
frames by a grammar that knows the rules in order to break them, and an end.
"""

import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

End = Literal["fin", "rst", "hold"]

ACCEPT = b"{accept}"
"""Stands for the right value of Sec-WebSocket-Accept, which depends on the request."""

HEAD = (
    b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"

BOMB_SIZE = 8 * 2**20

_STRANGE_HEADS = (
    b"",
    b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + HEAD + b"\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: \xff://\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: ws://[::1\r\n\r\n",
    b"HTTP/1.1 401 No\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 429 Slow\r\nRetry-After: -9e999\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 \xff\xfe\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/9.9 101 X\r\n\r\n",
    b"HTTP/1.1 999999 X\r\n\r\n",
    b"\x16\x03\x01\x00\x05hello",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)

_STRANGE_HEADERS = (
    b"Upgrade: h2c\r\n",
    b"Connection: close\r\n",
    b"Sec-WebSocket-Accept: AAAA\r\n",
    b"Sec-WebSocket-Accept: \xff\r\n",
    b"Sec-WebSocket-Protocol: nobody-asked\r\n",
    b"Sec-WebSocket-Protocol: a, b\r\n",
    b"Sec-WebSocket-Extensions: nobody-asked\r\n",
    b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99\r\n",
    b"Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n",
    b"Sec-WebSocket-Extensions: ;;=\r\n",
    b"Content-Length: 5\r\n",
    b" folded: line\r\n",
    b"no colon here\r\n",
    b"\x00: \x00\r\n",
    b"X: " + b"y" * 9000 + b"\r\n",
    b"X: y\r\n" * 300,
    b"Lines: end so\n",
)


@dataclass(frozen=True, slots=True)
class Script:
    """The response to one connection.

    Attributes:
        name: Seed and number, to play it again.
        answer: All bytes, but for the `ACCEPT` in them.
        most: How many are written at a time.
        end: What comes then; `hold` answers nothing any more.
    """

    name: str
    answer: bytes
    most: int
    end: End

    def pieces(self, accept: bytes) -> Iterator[bytes]:
        """Generate the pieces that are written to a client with this request."""
        dice = random.Random(self.name)
        data = self.answer.replace(ACCEPT, accept)
        # Byte by byte, but not for kilobytes.
        most = max(self.most, len(data) // 40)
        while data:
            size = dice.randint(1, most)
            yield data[:size]
            data = data[size:]


def scripts(seed: int) -> Iterator[Script]:
    """Generate scripts without end."""
    number = 0
    while True:
        yield script(f"{seed}-{number}")
        number += 1


def script(name: str) -> Script:
    """Return the script with this name."""
    dice = random.Random(name)
    kind = dice.choices(["head", "frames", "mutated", "noise"], [3, 8, 4, 1])[0]
    deflate = dice.random() < 0.3
    if kind == "head":
        answer = _head(dice)
    elif kind == "noise":
        answer = dice.randbytes(dice.randrange(2000))
    else:
        head = HEAD + (DEFLATE if deflate else b"") + b"\r\n"
        frames = b"".join(_frame(dice, deflate) for _ in range(dice.randrange(1, 30)))
        answer = head + frames
        if kind == "mutated":
            answer = _mutate(dice, answer)
    ends: list[End] = ["fin", "rst", "hold"]
    end = dice.choices(ends, [5, 3, 1])[0]
    return Script(name, answer, dice.choice([1, 7, 100, 5000, 10**9]), end)


def _head(dice: random.Random) -> bytes:
    if dice.random() < 0.4:
        return dice.choice(_STRANGE_HEADS)
    lines = HEAD.splitlines(keepends=True)
    for _ in range(dice.randrange(1, 3)):
        lines.insert(dice.randrange(1, len(lines) + 1), dice.choice(_STRANGE_HEADERS))
    if dice.random() < 0.3:
        del lines[dice.randrange(len(lines))]
    return b"".join(lines) + b"\r\n" + _frame(dice, deflate=False)


def _mutate(dice: random.Random, data: bytes) -> bytes:
    mutable = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(mutable) + 1)
        match dice.randrange(4):
            case 0 if at < len(mutable):
                mutable[at] ^= 1 << dice.randrange(8)
            case 1:
                mutable[at:at] = dice.randbytes(dice.randint(1, 9))
            case 2:
                del mutable[at : at + dice.randint(1, 9)]
            case _:
                del mutable[at + 500 :]
    return bytes(mutable)


def _frame(dice: random.Random, deflate: bool) -> bytes:
    makers: list[Callable[[random.Random], bytes]] = [
        _good,
        _control,
        _close,
        _wild,
        _lying,
    ]
    if deflate:
        makers.append(_deflated)
    weights = [8, 4, 1, 2, 1, 4][: len(makers)]
    return dice.choices(makers, weights)[0](dice)


def frame(first: int, payload: bytes) -> bytes:
    """Return an unmasked frame with this first byte."""
    size = len(payload)
    if size < 126:
        return bytes([first, size]) + payload
    if size < 2**16:
        return bytes([first, 126]) + size.to_bytes(2) + payload
    return bytes([first, 127]) + size.to_bytes(8) + payload


def _good(dice: random.Random) -> bytes:
    size = dice.choice([0, 1, 125, 126, 3000])
    if dice.random() < 0.2:
        pieces = [frame(0x02, b"a" * size), frame(0x00, b""), frame(0x80, b"b")]
        return b"".join(pieces)
    return frame(*dice.choice([(0x81, b"t" * size), (0x82, dice.randbytes(size))]))


def _control(dice: random.Random) -> bytes:
    return frame(dice.choice([0x89, 0x8A]), dice.randbytes(dice.randrange(126)))


def _close(dice: random.Random) -> bytes:
    code = dice.choice([0, 999, 1000, 1001, 1005, 1006, 1012, 1015, 2999, 4000, 65535])
    payloads = [b"", b"\x03", code.to_bytes(2), code.to_bytes(2) + b"\xff\xfe"]
    return frame(0x88, dice.choice(payloads))


def _wild(dice: random.Random) -> bytes:
    size = dice.choice([0, 5, 126, 200])
    return frame(dice.randrange(256), dice.randbytes(size))


def _lying(dice: random.Random) -> bytes:
    """Return a header whose length is masked, not minimal, enormous or negative."""
    lengths = [
        b"\x80",
        b"\xfe\xff\xff",
        b"\x7e\x00\x01",
        b"\x7f" + bytes(7) + b"\x01",
        b"\x7f" + b"\xff" * 8,
        b"\x7f" + b"\x7f" + b"\xff" * 7,
        b"\x7f" + (2**33).to_bytes(8),
    ]
    return bytes([dice.choice([0x81, 0x82, 0x01])]) + dice.choice(lengths) + b"x" * 50


def _deflated(dice: random.Random) -> bytes:
    first = dice.choice([0xC1, 0xC2])
    match dice.randrange(3):
        case 0:
            return frame(first, dice.randbytes(dice.randrange(300)))
        case 1:
            return frame(first, _BOMB)
        case _:
            return frame(first, _squeeze(b"hello " * 50))


def _squeeze(data: bytes) -> bytes:
    deflating = zlib.compressobj(9, zlib.DEFLATED, -15)
    squeezed = deflating.compress(data) + deflating.flush(zlib.Z_SYNC_FLUSH)
    return squeezed.removesuffix(b"\x00\x00\xff\xff")


_BOMB = _squeeze(bytes(BOMB_SIZE))
