"""Builds the frames of whole messages as a client sends them (RFC 6455 section 5.2).

The library can build them too, but takes three times as long: it makes a dataclass and
runs a generator for each frame. It builds all other frames, which are compressed frames
and control frames.
"""

import os
from struct import Struct

from ws_vm.frame_scanner import LENGTH_16, LENGTH_64, MASKED

try:
    from websockets.speedups import apply_mask
except ImportError:  # the library was installed without its C extension
    from websockets.utils import apply_mask

_PACK_16, _PACK_64 = Struct("!BBH").pack, Struct("!BBQ").pack


def build_frame(first_byte: int, payload: bytes) -> tuple[bytes, bytes]:
    """Build a frame.

    Args:
        first_byte: `TEXT` or `BINARY`.
        payload: The message, encoded.

    Returns:
        The header with the masking key, and the masked payload.
    """
    # The masking key must be unpredictable: otherwise whoever chooses the payload could
    # choose the bytes on the wire, and poison the cache of a proxy (section 10.3).
    mask, size = os.urandom(4), len(payload)
    if size < LENGTH_16:
        header = bytes((first_byte, MASKED | size))
    elif size < 2**16:
        header = _PACK_16(first_byte, MASKED | LENGTH_16, size)
    else:
        header = _PACK_64(first_byte, MASKED | LENGTH_64, size)
    return header + mask, apply_mask(payload, mask)
