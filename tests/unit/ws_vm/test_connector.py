"""Every URL that we accept is one that the library can connect to."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from websockets.uri import parse_uri

from ws_common.vocabulary.errors import WSInvalidUrlError
from ws_common.vocabulary.urls import check_url

PIECES = st.sampled_from(
    [
        *("host", "a.b", "1.2.3.4", "ü", "[::1]", "[::1", ".", "..", ":80", ":0"),
        *("token", "@", "%41", "%3A", "%ff", "/", "?q=1"),
    ]
)


ODD = st.text(st.characters(), max_size=4)


@given(pieces=st.lists(PIECES | ODD, max_size=6))
def test_what_is_taken_can_be_dialed(pieces):
    """The library takes every URL that we take, and DNS its host."""
    with contextlib.suppress(WSInvalidUrlError):
        uri = parse_uri(check_url(f"ws://{''.join(pieces)}"))
        assert uri.host.encode("idna")
        assert uri.resource_name.encode("ascii")
        assert uri.user_info is None or ":" not in uri.user_info[0]
