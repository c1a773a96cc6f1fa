"""Which proxy is used, and the parts of its URL."""

import os

import pytest
from websockets.uri import parse_uri

from ws_vm.proxies import parse_proxy, proxy_from_environment


@pytest.mark.parametrize(
    ("environment", "url", "found"),
    [
        ({}, "ws://a/", None),
        ({"no_proxy": "x"}, "ws://a/", None),
        ({"https_proxy": "http://p"}, "ws://a/", "http://p"),
        ({"all_proxy": "http://q"}, "ws://a/", "http://q"),
        ({"all_proxy": "http://q", "https_proxy": "http://p"}, "wss://a/", "http://p"),
        ({"all_proxy": "http://q", "http_proxy": "http://p"}, "ws://a/", "http://p"),
        ({"http_proxy": "http://p", "ws_proxy": "http://w"}, "ws://a/", "http://w"),
        ({"https_proxy": "http://p", "wss_proxy": "http://w"}, "wss://a/", "http://w"),
        ({"HTTPS_PROXY": "http://p"}, "wss://a/", "http://p"),
        ({"socks_proxy": "http://s:1"}, "wss://a/", "socks5h://s:1"),
        ({"socks_proxy": "socks5://s", "http_proxy": "x"}, "ws://a/", "socks5://s"),
        ({"https_proxy": "http://p", "no_proxy": "a"}, "wss://a/", None),
        ({"all_proxy": "http://q", "http_proxy": "http://p"}, "wss://a/", "http://q"),
        ({"all_proxy": "http://q", "no_proxy": "a"}, "ws://u:p@a:81/", None),
        ({"all_proxy": "http://q", "no_proxy": "a:443"}, "wss://a/", None),
        ({"all_proxy": "http://q", "no_proxy": "::1"}, "ws://[::1]:8000/", None),
    ],
)
def test_proxy_of_the_environment(monkeypatch, environment, url, found):
    """Exceptions alone are no proxy; `all_proxy` is for what no other name is."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    uri = parse_uri(url)
    for _ in range(2):  # the second answer is remembered
        proxy = proxy_from_environment(uri.host, uri.port, secure=uri.secure)
        assert proxy == found


def test_a_changed_environment_is_noticed(monkeypatch):
    """What is remembered holds as long as the environment stays as it was."""
    monkeypatch.setenv("no_proxy", "")
    for proxy in ("http://one", "http://two"):
        monkeypatch.setenv("ws_proxy", proxy)
        assert proxy_from_environment("a", 80, secure=False) == proxy
    monkeypatch.setenv("no_proxy", "a")
    assert proxy_from_environment("a", 80, secure=False) is None


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://p", ("http", "p", 80, None, None)),
        ("https://p/", ("https", "p", 443, None, None)),
        ("socks5h://j%40:%2F@P:1080", ("socks5h", "p", 1080, "j@", "/")),
        ("http://bücher.example:1", ("http", "xn--bcher-kva.example", 1, None, None)),
    ],
)
def test_parts_of_a_proxy(url, parts):
    """Names in small letters and ASCII, credentials unquoted, ports as usual."""
    assert parse_proxy(url) == parts
