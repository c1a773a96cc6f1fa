"""The race between a host's addresses: who wins, what it costs, what is left."""

import asyncio
import contextlib
import errno
import os
import socket
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.uri import parse_uri

from tests.support.client_driver import begin
from tests.support.resource_counter import Turns, descriptors, nothing_left
from tests.support.silent_ports import silent
from ws_common.vocabulary.errors import WSInvalidUrlError
from ws_common.vocabulary.urls import check_url
from ws_vm import happy_eyeballs
from ws_vm.proxies import parse_proxy, proxy_of_environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="counts descriptors")

HOST = "host.example"


@pytest.fixture
def listener():
    """A port on every address of the loopback."""
    with socket.socket() as sock:
        sock.bind(("0.0.0.0", 0))
        sock.listen(64)
        yield sock.getsockname()[1]


@pytest.fixture
def resolve(monkeypatch):
    """Lets a name have these addresses."""

    def have(*hosts: str) -> None:
        async def getaddrinfo(_host, port, **_how):
            kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
            return [(*kind, (host, port)) for host in hosts]

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)

    return have


async def test_an_address_needs_no_resolver(listener, monkeypatch):
    """No thread is started for what is no name."""
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", None)
    with await happy_eyeballs.dial("127.0.0.1", listener, None) as sock:
        assert sock.getpeername() == ("127.0.0.1", listener)
        assert not sock.getblocking()


async def test_the_next_address(listener, resolve):
    """One that refuses costs no delay."""
    resolve("255.255.255.255", "127.0.0.2")
    before = asyncio.get_running_loop().time()
    with await happy_eyeballs.dial(HOST, listener, None) as sock:
        assert sock.getpeername()[0] == "127.0.0.2"
    assert asyncio.get_running_loop().time() - before < happy_eyeballs.DELAY


async def test_where_from(listener, resolve):
    """`local_addr` is where the connection comes from."""
    resolve("127.0.0.1")
    with await happy_eyeballs.dial(HOST, listener, ("127.0.0.9", 0)) as sock:
        assert sock.getsockname()[0] == "127.0.0.9"
    with pytest.raises(OSError, match="no address of the family AF_INET"):
        await happy_eyeballs.dial(HOST, listener, ("::1", 0))


async def test_nobody_takes_it(resolve):
    """The error is the addresses' own; where they differ, it says all."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        resolve("127.0.0.1", "127.0.0.1")
        with pytest.raises(ConnectionRefusedError) as caught:
            await happy_eyeballs.dial(HOST, port, None)
        assert caught.value.errno == errno.ECONNREFUSED
        resolve("127.0.0.1", "127.0.0.2")
        with pytest.raises(ConnectionRefusedError, match=r"127\.0\.0\.1.*127\.0\.0\.2"):
            await happy_eyeballs.dial(HOST, port, None)
    resolve()
    with pytest.raises(OSError, match="no address"):
        await happy_eyeballs.dial(HOST, 1, None)


async def test_cancelled_at_every_turn(listener, resolve, monkeypatch):
    """Also at the moment at which two addresses have just answered."""
    resolve("127.0.0.1", "127.0.0.2", "127.0.0.3")
    monkeypatch.setattr(happy_eyeballs, "DELAY", 0)
    before, turns = descriptors(), Turns()
    for count in range(20):
        work = begin(happy_eyeballs.dial(HOST, listener, None))
        for _ in range(count):
            await turns.next()
        if work.done():
            work.result().close()
        work.cancel()
        await asyncio.wait({work})
        if not work.cancelled():
            work.result().close()
        await nothing_left(before)


@pytest.mark.skipif(sys.platform != "linux", reason="fills a queue as Linux has it")
async def test_cancelled_while_nobody_answers(resolve):
    """Attempts that hang are given up, each of them."""
    resolve("127.0.0.1", "127.0.0.1", "127.0.0.1")
    with silent(full=True) as address:
        before = descriptors()
        work = begin(happy_eyeballs.dial(HOST, int(address.rpartition(":")[2]), None))
        async with asyncio.timeout(10):
            while descriptors() < before + 2:  # noqa: ASYNC110 - seen from outside
                await asyncio.sleep(0.01)
        work.cancel()
        await asyncio.wait({work})
        await nothing_left(before)


def test_families_by_turns():
    """A family whose network is dead costs one delay, and not one for each address."""
    six, four = socket.AF_INET6, socket.AF_INET
    addresses = [(six, 1), (six, 2), (six, 3), (four, 4), (four, 5)]
    order = [number for _, number in happy_eyeballs._interleave(addresses)]
    assert order == [1, 4, 2, 5, 3]


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
        proxy = proxy_of_environment(uri.host, uri.port, secure=uri.secure)
        assert proxy == found


def test_a_changed_environment_is_noticed(monkeypatch):
    """What is remembered holds as long as the environment stays as it was."""
    monkeypatch.setenv("no_proxy", "")
    for proxy in ("http://one", "http://two"):
        monkeypatch.setenv("ws_proxy", proxy)
        assert proxy_of_environment("a", 80, secure=False) == proxy
    monkeypatch.setenv("no_proxy", "a")
    assert proxy_of_environment("a", 80, secure=False) is None


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
