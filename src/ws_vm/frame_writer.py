"""Frames of whole messages, as a client sends them (RFC 6455 sections 5.2 and 5.3).

The library makes such frames too, in three times the time. It makes all others:
compressed frames and control frames.
"""

import os
from struct import Struct

from ws_vm.frame_scanner import LENGTH_16, LENGTH_64, MASKED

try:
    from websockets.speedups import apply_mask
except ImportError:  # the library was built without a compiler
    from websockets.utils import apply_mask

_PACK_16, _PACK_64 = Struct("!BBH").pack, Struct("!BBQ").pack


def build_frame(first_byte: int, payload: bytes) -> tuple[bytes, bytes]:
    """Return the header of a frame, and its masked payload.

    The mask cannot be guessed, so that no one who chooses the payload chooses what is
    on the wire (section 10.3).
    """
    mask, size = os.urandom(4), len(payload)
    if size < LENGTH_16:
        header = bytes((first_byte, MASKED | size))
    elif size < 2**16:
        header = _PACK_16(first_byte, MASKED | LENGTH_16, size)
    else:
        header = _PACK_64(first_byte, MASKED | LENGTH_64, size)
    return header + mask, apply_mask(payload, mask)
