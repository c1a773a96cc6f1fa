"""Whole frames as the benchmark's server sends and receives them.

`websockets` could do this as well, and would take longer for it than some clients do.
"""

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


def encode(opcode: int, payload: bytes) -> bytes:
    """A whole frame as a server sends it, unmasked."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, size))
    elif size < 2**16:
        head = bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big")
    return head + payload


def take_frame(data: bytearray) -> tuple[int, bytes] | None:
    """Remove the first frame of a client; None if it is not complete yet."""
    if len(data) < 2:
        return None
    size, head = data[1] & 0x7F, 6
    if size >= 126:
        width = 2 if size == 126 else 8
        size, head = int.from_bytes(data[2 : 2 + width], "big"), 6 + width
    if len(data) < head + size:
        return None
    opcode = data[0] & 0x0F
    mask = bytes(data[head - 4 : head]) * (size // 4 + 1)
    masked = int.from_bytes(data[head : head + size], "big")
    payload = masked ^ int.from_bytes(mask[:size], "big")
    del data[: head + size]
    return opcode, payload.to_bytes(size, "big")
