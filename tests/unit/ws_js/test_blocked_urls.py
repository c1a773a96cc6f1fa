"""URLs that a page can never open, in a fake JavaScript."""

import pytest

from ws_common.vocabulary.errors import WSHandshakeError
from ws_js.blocked_urls import is_mixed_content

ORIGIN = "https://example.org"
URL = "wss://example.org/chat?token=s3cr3t"


async def failure(task):
    """Return the error of an attempt, which contains no secrets."""
    with pytest.raises(WSHandshakeError) as caught:
        await task
    assert "s3cr3t" not in str(caught.value)
    return caught.value


@pytest.fixture
def refused(js, begin):
    """A function that makes an attempt which fails, and returns its error."""

    async def refuse(url, **given):
        task = await begin(url, **given)
        js.sockets[-1].play_error()
        return await failure(task)

    return refuse


@pytest.mark.parametrize(
    ("origin", "url", "mixed"),
    [
        (ORIGIN, "ws://example.org/", True),
        (ORIGIN, "wss://example.org/", False),
        (ORIGIN, "ws://localhost:80/", False),
        (ORIGIN, "ws://a.localhost/", False),
        (ORIGIN, "ws://127.0.0.1/", False),
        (ORIGIN, "ws://[::1]/", False),
        ("http://example.org", "ws://example.org/", False),
        ("null", "ws://example.org/", False),
        ("", "ws://example.org/", False),
    ],
)
def test_mixed_content(origin, url, mixed):
    """A secure page may open `ws:` only if the host is potentially trustworthy."""
    assert is_mixed_content(origin, url) is mixed


@pytest.mark.parametrize("port", [1, 22, 6000, 10080])
async def test_a_blocked_port(js, refused, port):
    """The port is named, and the error is permanent."""
    error = await refused(f"wss://example.org:{port}/")
    assert error.permanent
    assert f"port {port}" in str(error)


@pytest.fixture
def violation(js, begin):
    """A function that makes an attempt during which the page's policy is violated."""

    async def violate(blocked, disposition="enforce"):
        task = await begin(URL)
        what = {"blockedURI": blocked, "disposition": disposition}
        js.target.play("securitypolicyviolation", **what)
        js.sockets[-1].play_error()
        error = await failure(task)
        assert js.target.listeners["securitypolicyviolation"] == []
        return error

    js.as_page(ORIGIN)
    return violate


async def test_a_policy(violation):
    """The error names the policy, and is permanent."""
    error = await violation(URL)
    assert error.permanent
    assert "security policy" in str(error)


@pytest.mark.parametrize(
    "what",
    [("wss://example.org/", "enforce"), (URL, "report")],
    ids=["other", "report"],
)
async def test_what_a_policy_has_nothing_to_do_with(violation, what):
    """Violations by other URLs, and those that are only reported, are ignored."""
    error = await violation(*what)
    assert not error.permanent
