"""The options of permessage-deflate."""

import pytest

from ws_common.options.compression import CompressionOptions


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"client_max_window_bits": 7}, r"compression\.client_max_window_bits"),
        ({"server_max_window_bits": True}, r"compression\.server_max_window_bits"),
        ({"enabled": "yes"}, r"compression\.enabled"),
        ({"client_no_context_takeover": 1}, r"compression\.client_no_context_takeover"),
    ],
)
def test_invalid_value(arguments, name):
    """An invalid value raises an error that names the attribute."""
    with pytest.raises((TypeError, ValueError), match=name):
        CompressionOptions(**arguments)


@pytest.mark.parametrize("bits", [8, 15, None])
def test_window_bits(bits):
    """RFC 7692 allows windows of 8 to 15 bits."""
    options = CompressionOptions(
        client_max_window_bits=bits, server_max_window_bits=bits
    )

    assert bits == options.client_max_window_bits == options.server_max_window_bits
