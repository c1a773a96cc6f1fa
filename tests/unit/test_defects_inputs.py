"""Bad URLs and bad options raise where they are given, before anything is done."""

from urllib.parse import urlsplit

import pytest

import ws
from tests.support.fake_transport import FakeConnector
from tests.support.playing import begin, ended, playing

pytestmark = pytest.mark.looptime

LABEL = "a" * 64
"""A label of a host name has 63 characters at most (RFC 1035 section 2.3.4)."""

BAD_URLS = {
    "empty-label": "ws://a..b/",
    "leading-dot": "ws://.example/",
    "long-label": f"ws://{LABEL}.example/",
    "surrogate-in-the-path": "ws://example/\udcff",
    "surrogate-in-the-query": "ws://example/?q=\udcff",
    "surrogate-in-the-host": "ws://exam\udcffple/",
}


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="issue 12, defect 17")
@pytest.mark.parametrize("url", BAD_URLS.values(), ids=BAD_URLS.keys())
async def test_a_url_that_cannot_be_dialed(url):
    """It raises before any attempt, and is not retried."""
    connector = FakeConnector()
    async with playing(connector, connection_retry_interval=(1, 1)) as client:
        asked = begin(client.connect(url))
        assert await ended(asked)
        assert isinstance(asked.exception(), ws.WSInvalidUrlError)
        assert connector.attempts == []


BEHIND = "ws://[::1]extra:80/"


def python_takes(url: str) -> bool:
    """Whether `urlsplit` does: later Pythons refuse this one by themselves."""
    try:
        urlsplit(url)
    except ValueError:
        return False
    return True


@pytest.mark.xfail(
    python_takes(BEHIND),
    strict=True,
    raises=AssertionError,
    reason="issue 12, not proven: [::1]extra",
)
@pytest.mark.parametrize("url", [BEHIND, "ws://[::1]extra/"])
async def test_something_behind_an_ipv6_address(url):
    """It is no host, and is not taken for the address alone."""
    connector = FakeConnector()
    async with playing(connector, connection_retry_interval=(1, 1)) as client:
        asked = begin(client.connect(url))
        assert await ended(asked)
        assert isinstance(asked.exception(), ws.WSInvalidUrlError)
        assert connector.attempts == []


def refusal(**options) -> Exception | None:
    """What making these options raises."""
    try:
        ws.WebSocketOptions.vm(**options)
    except (TypeError, ValueError) as error:
        return error
    return None


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="issue 12, defect 17")
@pytest.mark.parametrize(
    "proxy",
    [
        "foo",
        "ftp://proxy.example",
        "http://",
        "http://proxy.example:99999",
        "http://proxy.example:x",
        "http://a..b:8080",
    ],
)
def test_a_proxy_that_is_none(proxy):
    """It is refused when the options are made, by the option's name."""
    error = refusal(proxy=proxy)
    assert error is not None
    assert "proxy" in str(error)


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="issue 12, defect 17")
def test_the_password_of_a_bad_proxy_is_not_shown():
    """Nor does the error show what nobody shall see."""
    error = refusal(proxy="ftp://joe:s3cr3t@proxy.example")
    assert error is not None
    assert "s3cr3t" not in f"{error}{error.__cause__}{error.__context__}"


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="issue 12, defect 17")
@pytest.mark.parametrize("port", [-1, 65_536, 99_999])
def test_a_local_port_that_is_none(port):
    """A port is from 0 (any) to 65535."""
    error = refusal(local_addr=("127.0.0.1", port))
    assert error is not None
    assert "local_addr" in str(error)


def test_good_ones_are_taken():
    """What is right stays right."""
    for proxy in ("http://proxy", "http://joe:pw@[::1]:8080", "socks5h://a.b:1080"):
        assert refusal(proxy=proxy) is None
    for port in (0, 65_535):
        assert refusal(local_addr=("127.0.0.1", port)) is None
