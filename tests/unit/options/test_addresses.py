"""Invalid URLs, proxies, hosts and ports raise before any I/O."""

import pytest

import ws
from tests.support.fake_network import begin, ended, playing
from tests.support.fake_transport import FakeConnector
from ws_common.vocabulary.urls import check_url

pytestmark = pytest.mark.looptime

LABEL = "a" * 64
"""A label of a host name has at most 63 characters (RFC 1035 section 2.3.4)."""

BAD_URLS = {
    "empty-label": "ws://a..b/",
    "leading-dot": "ws://.example/",
    "long-label": f"ws://{LABEL}.example/",
    "surrogate-in-the-path": "ws://example/\udcff",
    "surrogate-in-the-query": "ws://example/?q=\udcff",
    "surrogate-in-the-host": "ws://exam\udcffple/",
    "surrogate-in-the-password": "ws://joe:\udcff@example/",
    "two-dots-at-the-end": "ws://example../",
    "long-name": f"ws://{'a.' * 127}a/",
    "long-name-beyond-ascii": f"ws://{'ü' * 10_000}/",
    "empty-label-beyond-ascii": "ws://bücher..example/",
    "space-once-it-is-normalized": "ws://a\u3000b/",
    "percent-in-the-host": "ws://exam%20ple/",
    "backslash-in-the-host": "ws://example\\path",
    "colon-in-the-user": "ws://jo%3Ae:s3cr3t@example/",
    "user-that-is-no-text": "ws://%ff:s3cr3t@example/",
    "password-that-is-no-text": "ws://joe:s3cr3t%ff@example/",
}


@pytest.mark.parametrize("url", BAD_URLS.values(), ids=BAD_URLS.keys())
async def test_a_url_that_cannot_be_dialed(url):
    """An invalid URL raises before any attempt, and is not retried."""
    connector = FakeConnector()
    async with playing(connector, connection_retry_interval=(1, 1)) as client:
        asked = begin(client.connect(url))
        assert await ended(asked)
        assert isinstance(error := asked.exception(), ws.WSInvalidUrlError)
        assert connector.attempts == []
        assert "s3cr3t" not in f"{error}{error.__cause__}{error.__context__}"


@pytest.mark.parametrize(
    "url",
    ["ws://[::1]extra:80/", "ws://[::1]extra/", "ws://extra[::1]:80/", "ws://[v1.a]/"],
)
async def test_something_around_an_ipv6_address(url):
    """Text before or after the brackets of an IPv6 address makes the host invalid."""
    connector = FakeConnector()
    async with playing(connector, connection_retry_interval=(1, 1)) as client:
        asked = begin(client.connect(url))
        assert await ended(asked)
        assert isinstance(asked.exception(), ws.WSInvalidUrlError)
        assert connector.attempts == []


@pytest.mark.parametrize("asked", [str, lambda url: lambda _: url])
async def test_the_url_that_is_dialed(asked):
    """The scheme is lowered, because `ssl` is used for URLs that begin with `wss:`."""
    connector = FakeConnector()
    async with playing(connector) as client:
        begin(client.connect(asked("WSS://token@Example.org/")))
        attempt = await connector.next()
        assert attempt.request.url == "wss://token:@Example.org/"


def get_refusal(**options) -> Exception | None:
    """Return the exception that making these options raises, or None."""
    try:
        ws.WebSocketOptions.vm(**options)
    except (TypeError, ValueError) as error:
        return error
    return None


@pytest.mark.parametrize(
    "proxy",
    [
        "foo",
        "ftp://proxy.example",
        "http://",
        "http://proxy.example:99999",
        "http://proxy.example:x",
        "http://a..b:8080",
        "",
        "proxy.example:8080",
        "http:proxy.example",
        "http://proxy.example:0",
        "http://proxy.example/path",
        "http://proxy.example?query",
        "http://[::1]extra:8080",
        "http://jo%3Ae:pw@proxy.example",
        "http://proxy.example ",
        "http://proxy\udcff.example",
    ],
)
def test_a_proxy_that_is_none(proxy):
    """An invalid proxy is refused when options are made; the error names `proxy`."""
    error = get_refusal(proxy=proxy)
    assert error is not None
    assert "proxy" in str(error)


@pytest.mark.parametrize(
    "proxy",
    [
        "ftp://joe:s3cr3t@proxy.example",
        "http://joe:s3cr3t@proxy.example:99999",
        "http://joe:s3cr3t@proxy\u2100.example",
        "joe:s3cr3t@proxy.example",
    ],
)
def test_the_password_of_a_bad_proxy_is_not_shown(proxy):
    """The error for an invalid proxy does not show its password."""
    error = get_refusal(proxy=proxy)
    assert error is not None
    assert "s3cr3t" not in f"{error}{error.__cause__}{error.__context__}"


@pytest.mark.parametrize("port", [-1, 65_536, 99_999])
def test_a_local_port_that_is_none(port):
    """A local port outside of 0 to 65535 is refused."""
    error = get_refusal(local_addr=("127.0.0.1", port))
    assert error is not None
    assert "local_addr" in str(error)


@pytest.mark.parametrize(
    "option",
    [
        {"local_addr": ("", 0)},
        {"local_addr": ("a..b", 0)},
        {"local_addr": ("[::1]", 0)},
        {"server_hostname": "a..b"},
        {"server_hostname": f"{LABEL}.example"},
        {"server_hostname": ".example"},
        {"unix_path": ""},
        {"unix_path": "/run/a\0b"},
    ],
    ids=repr,
)
def test_other_addresses_that_are_none(option):
    """An invalid name, address or path is refused; the error names the option."""
    error = get_refusal(**option)
    assert error is not None
    assert next(iter(option)) in str(error)


def test_good_ones_are_taken():
    """Valid values are accepted."""
    for proxy in ("http://proxy", "http://joe:pw@[::1]:8080", "socks5h://a.b:1080"):
        assert get_refusal(proxy=proxy) is None
    for port in (0, 65_535):
        assert get_refusal(local_addr=("127.0.0.1", port)) is None
    for host in ("::1", "fe80::1%eth0", "localhost", "bücher.example", "a_b."):
        assert get_refusal(local_addr=(host, 0)) is None
        assert get_refusal(server_hostname=host) is None
    assert get_refusal(server_hostname="") is None  # for asyncio: check no name
    assert get_refusal(unix_path="\0abstract") is None


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("token@host", "token:@host"),
        ("@host", "host"),
        ("token:@host", "token:@host"),
        ("joe:pw@host", "joe:pw@host"),
        ("a@b@host", "a@b:@host"),
    ],
)
def test_a_user_without_a_password(given, taken):
    """A user without a password gets an empty one (RFC 7617), as in browsers."""
    assert check_url(f"wss://{given}/?a@b") == f"wss://{taken}/?a@b"
    assert ws.WebSocketOptions.vm(proxy=f"http://{given}").proxy == f"http://{taken}"
