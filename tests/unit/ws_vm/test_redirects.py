"""Which URL a redirect leads to, and which redirects are not followed."""

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.http11 import Response

from ws_common.vocabulary.errors import WSHandshakeError
from ws_vm.redirects import MAX_REDIRECTS, redirect_target, without_credentials

URL = "wss://example.org/path?q=1"


def redirect(*locations: str, status: int = 302) -> InvalidStatus:
    """The error that the library raises for such a response."""
    headers = Headers()
    for location in locations:
        headers["Location"] = location
    return InvalidStatus(Response(status, "Moved", headers))


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/other", "wss://example.org/other"),
        ("other", "wss://example.org/other"),
        ("?q=2", "wss://example.org/path?q=2"),
        ("//example.com/", "wss://example.com/"),
        ("https://example.com/#part", "wss://example.com/"),
    ],
)
def test_target(location, target):
    """A Location may be relative, and may be an http(s) URL."""
    assert redirect_target(redirect(location), URL, 0, any_origin=True) == target


@pytest.mark.parametrize(
    "error", [redirect(), redirect("/x", status=304), InvalidHandshake()]
)
def test_no_redirect(error):
    """A refusal without a Location, another status and another error are none."""
    assert redirect_target(error, URL, 0, any_origin=True) is None


@pytest.mark.parametrize(
    ("error", "hop", "any_origin", "reason"),
    [
        (redirect("/x"), MAX_REDIRECTS, True, "more than 10 redirects"),
        (redirect("/x", "/y"), 0, True, "two different Location headers"),
        (redirect("ws://example.org/"), 0, True, "less secure"),
        (redirect("wss://example.com/"), 0, False, "Unix socket"),
        (redirect("//["), 0, True, "not a URL"),
        (redirect("ftp://example.org/"), 0, True, "ftp"),
    ],
)
def test_not_followed(error, hop, any_origin, reason):
    """The error keeps the status, and says why."""
    with pytest.raises(WSHandshakeError, match=reason) as caught:
        redirect_target(error, URL, hop, any_origin=any_origin)
    assert caught.value.status == 302


def test_the_same_location_twice():
    """A header that is repeated with the same value is no contradiction."""
    target = redirect_target(redirect("/x", "/x"), URL, 0, any_origin=True)
    assert target == "wss://example.org/x"


def test_credentials_stay():
    """Headers with credentials are removed, in any spelling."""
    headers = [("AUTHORIZATION", "t"), ("cookie", "c"), ("X-Other", "1")]
    assert without_credentials(headers) == [("X-Other", "1")]
