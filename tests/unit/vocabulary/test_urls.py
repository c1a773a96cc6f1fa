"""Which URLs are accepted, and that they are shown without their secrets."""

import pickle
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ws_common.lifecycle.states import Connecting, Open
from ws_common.vocabulary.errors import WSInvalidUrlError
from ws_common.vocabulary.urls import check_url, origin, redact

SECRET = "hunter2"  # noqa: S105 - it is what must not be seen
PLAIN = st.text("abcXYZ019-._~", max_size=8)
ODD = st.text(st.characters(codec="utf-8", exclude_characters="/?#"), max_size=8)
QUERY = st.text(st.characters(codec="utf-8", exclude_characters="#&="), max_size=8)


@st.composite
def surround_secret(draw, text):
    """Draw the secret with unusual characters before and after it."""
    return draw(text) + SECRET + draw(text)


@given(
    user=st.one_of(PLAIN, surround_secret(ODD)),
    password=surround_secret(ODD),
    host=st.sampled_from(["example.org", "example.org:8443", "[::1]:80", "10.0.0.1"]),
    path=PLAIN,
    query=st.lists(st.tuples(PLAIN, surround_secret(QUERY)), max_size=3),
    fragment=st.one_of(st.just(""), surround_secret(ODD)),
)
def test_nothing_secret_is_shown(user, password, host, **rest):
    """Credentials, query values and fragments are never shown."""
    query = "&".join(f"{name}={value}" for name, value in rest["query"])
    target = f"{rest['path']}?{query}#{rest['fragment']}"
    url = f"wss://{user}:{password}@{host}/{target}"

    shown = redact(url)

    assert SECRET not in shown
    assert SECRET not in repr(Connecting(url, 1))
    assert SECRET not in repr(Open(url, None, 1))
    assert SECRET not in get_refusal_text(url)


def get_refusal_text(url: object) -> str:
    try:
        check_url(url)
    except WSInvalidUrlError as error:
        return f"{error} {error!r}"
    return ""


@given(token=surround_secret(ODD.filter(lambda text: "=" not in text)))
def test_query_that_is_a_token(token):
    """A query without names may be a token, and is hidden."""
    assume("&" not in token)

    assert SECRET not in redact(f"wss://example.org/?{token}")
    assert SECRET not in redact(f"wss://example.org/?v=1&{token}&w=2")


@given(text=st.text())
def test_anything_can_be_shown(text):
    """Text that is not a URL does not raise, and adds no line to a log."""
    assert "\n" not in redact(f"ws://example.org/?{quote(text)}=1")
    redact(text)


@pytest.mark.parametrize(
    "url",
    [
        "wss://joe:hunter2/x@example.org/",
        "wss://joe:hunter2?x@example.org/",
        "wss://joe:hunter2#x@example.org/",
        "wss://joe:hunter2@[::1/",
        "wss://joe:hunter2@example\u2100.org/",  # a/c once it is normalized
        "wss:joe:hunter2@example.org/",
        "joe:hunter2@example.org/",
        "wss://joe:hunter2@example.org:port/",
        "wss://joe:hunter2@example.org:0/",
        "wss://joe:hunter2@/",
        "https://joe:hunter2@example.org/",
        "wss://joe:hunter2@example.org/ path",
    ],
)
def test_refusals_tell_no_secret(url):
    """An error shows no password, even if an unquoted one made the URL invalid."""
    with pytest.raises(WSInvalidUrlError) as caught:
        check_url(url)

    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.__cause__)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ws://example.org", "ws://example.org"),
        ("wss://example.org:8443/chat/room", "wss://example.org:8443/chat/room"),
        ("wss://joe:pw@example.org/chat", "wss://example.org/chat"),
        ("wss://joe@example.org/", "wss://example.org/"),
        ("wss://a@b@example.org/", "wss://example.org/"),
        ("ws://example.org/?token=abc&v=1", "ws://example.org/?token=…&v=…"),
        ("ws://example.org/?abc", "ws://example.org/?…"),
        ("ws://example.org/?v=1&abc", "ws://example.org/?v=…&…"),
        ("ws://example.org/?a=1&a=2&b=", "ws://example.org/?a=…&a=…&b=…"),
        ("ws://example.org/?a%0Ab=1", "ws://example.org/?a%0Ab=…"),
        ("ws://example.org/@joe/inbox", "ws://example.org/@joe/inbox"),
        ("ws://[::1]:80/", "ws://[::1]:80/"),
        ("ws://[::1", "<unreadable URL>"),
        ("joe:pw@example.org", "<unreadable URL>"),
        ("", ""),
    ],
)
def test_what_is_shown(url, shown):
    """The other parts of a URL are shown."""
    assert shown == redact(url)


@pytest.mark.parametrize(
    "url",
    [
        "ws://example.org",
        "wss://example.org/",
        "ws://127.0.0.1:8000/ws",
        "ws://[::1]:8000/ws?a=b",
        "wss://joe:pw@example.org/chat?token=x",
        "ws://bücher.example/",
        "ws://localhost:65535",
    ],
)
def test_taken(url):
    """A valid URL is returned unchanged."""
    assert url == check_url(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.org/", "must begin with ws:// or wss://"),
        ("example.org", "must begin with ws:// or wss://"),
        ("/relative", "must begin with ws:// or wss://"),
        ("", "must begin with ws:// or wss://"),
        ("ws://", "must have a host"),
        ("ws:///path", "must have a host"),
        ("ws://:80/", "must have a host"),
        ("ws:example.org", "must have a host"),
        ("ws://example.org:0/", "port 0"),
        ("ws://example.org:65536/", "not a valid URL"),
        ("ws://example.org:abc/", "not a valid URL"),
        ("ws://[::1/", "not a valid URL"),
        ("ws://example.org/#top", "fragment"),
        ("ws://example.org/#", "fragment"),
        ("ws://exam ple.org/", "spaces or control"),
        (" ws://example.org/", "spaces or control"),
        ("ws://example.org/\r\nHost: x", "spaces or control"),
        ("ws://example.org/\x00", "spaces or control"),
        ("ws://example.org/\x7f", "spaces or control"),
        (b"ws://example.org/", "must be a string, not bytes"),
        (None, "must be a string, not NoneType"),
    ],
    ids=repr,
)
def test_refused(url, words):
    """An invalid URL raises an error that says what is wrong."""
    with pytest.raises(WSInvalidUrlError, match=words):
        check_url(url)


def test_the_scheme_is_made_small():
    """The scheme is lowered, because `ssl` is used for URLs that begin with `wss:`."""
    assert check_url("WSS://Example.org/A") == "wss://Example.org/A"


def test_origins():
    """URLs have the same origin if scheme, host and port are equal."""
    assert origin("ws://example.org") == origin("ws://EXAMPLE.org:80/chat?x=1")
    assert origin("wss://example.org") == origin("wss://joe@example.org:443/")
    assert origin("ws://example.org") != origin("wss://example.org")
    assert origin("ws://example.org") != origin("ws://example.org:81")


def test_states_keep_the_whole_url():
    """A state holds the complete URL; only its repr hides the secrets."""
    url = "wss://joe:pw@example.org/?token=x"

    assert url == pickle.loads(pickle.dumps(Open(url, None, 1))).url  # noqa: S301
