"""Other projects' proxies: CONNECT and SOCKS5, with and without credentials."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import pytest

from tests.support.processes import Running, free_port, installed
from ws_common.client import WebSocketClient
from ws_common.options.options import WebSocketOptions
from ws_common.vocabulary.errors import WSHandshakeError, WSNotConnectedError

USER, PASSWORD = "joe", "s3cr3t"

SQUID = """
http_port 127.0.0.1:{port}
pid_filename none
access_log none
cache_log /dev/null
cache deny all
cache_mem 8 MB
coredump_dir {folder}
pinger_enable off
netdb_filename none
shutdown_lifetime 0 seconds
{rules}
"""

SQUID_RULES = """
auth_param basic program /bin/sh {folder}/squid-auth.sh
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
"""

SQUID_AUTH = f"""
while read -r user password; do
    [ "$user $password" = "{USER} {PASSWORD}" ] && echo OK || echo ERR
done
"""

TINYPROXY = """
Port {port}
Listen 127.0.0.1
Timeout 600
LogLevel Error
{rules}
"""


def squid(folder, port: int, *, guarded: bool) -> list[str]:
    (folder / "squid-auth.sh").write_text(SQUID_AUTH)
    rules = SQUID_RULES.format(folder=folder) if guarded else "http_access allow all"
    config = folder / f"squid-{port}.conf"
    config.write_text(SQUID.format(port=port, folder=folder, rules=rules))
    return [installed("squid"), "-N", "-f", str(config)]


def tinyproxy(folder, port: int, *, guarded: bool) -> list[str]:
    rules = f"BasicAuth {USER} {PASSWORD}" if guarded else ""
    config = folder / f"tinyproxy-{port}.conf"
    config.write_text(TINYPROXY.format(port=port, rules=rules))
    return [installed("tinyproxy"), "-d", "-c", str(config)]


def microsocks(_folder, port: int, *, guarded: bool) -> list[str]:
    known = ["-u", USER, "-P", PASSWORD] if guarded else []
    return [installed("microsocks"), "-i", "127.0.0.1", "-p", str(port), *known]


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy."""

    scheme: str
    port: int
    guarded: bool

    def url(self, password: str = PASSWORD) -> str:
        user = f"{USER}:{password}@" if self.guarded else ""
        return f"{self.scheme}://{user}127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def running(folder):
    """Makes a proxy run, once for all tests."""
    with ExitStack() as stack:
        made: dict[tuple[str, bool], int] = {}

        def run(command, name: str, *, guarded: bool) -> int:
            if (name, guarded) not in made:
                port = free_port()
                words = command(folder, port, guarded=guarded)
                log = folder / f"{name}-{port}.log"
                stack.enter_context(Running(words, port, log))
                made[name, guarded] = port
            return made[name, guarded]

        yield run


KINDS = {
    "squid": (squid, "http"),
    "tinyproxy": (tinyproxy, "http"),
    "microsocks": (microsocks, "socks5"),
    "microsocks, names resolved there": (microsocks, "socks5h"),
}


@pytest.fixture(params=KINDS)
def proxy(request, running):
    """Makes a proxy of each kind."""
    command, scheme = KINDS[request.param]
    program = request.param.partition(",")[0]

    def make(*, guarded: bool) -> Proxy:
        return Proxy(scheme, running(command, program, guarded=guarded), guarded)

    return make


@pytest.mark.parametrize("guarded", [True, False])
async def test_through(platform, proxy, server, guarded):
    """Messages pass in both directions, and so does the closing handshake."""
    options = WebSocketOptions.vm(proxy=proxy(guarded=guarded).url())
    async with WebSocketClient(options) as client:
        await client.connect(server("/echo"))
        for message in ("grüße", b"\x00" * 2**20):
            await client.add(message)
            assert await client.recv() == message
        await client.disconnect(4001, "enough")
        assert client.state.close_code == 4001


async def test_tls_through(platform, proxy, tls_server, trusting):
    """TLS ends at the server, and its certificate is checked against its name."""
    options = partial(WebSocketOptions.vm, proxy=proxy(guarded=True).url())
    async with WebSocketClient(options(ssl=trusting)) as client:
        await client.connect(tls_server("/greeting"))
        assert await client.recv() == "hello"
    stranger = WebSocketClient(options())
    with pytest.raises(WSHandshakeError, match="certificate is not trusted"):
        await stranger.connect(tls_server("/greeting"))
    await stranger.close()


@pytest.mark.parametrize("password", ["wrong", "s3cr3t%21"])
async def test_wrong_password(platform, proxy, server, password):
    """The error says that the proxy refused, and does not show the password."""
    one = proxy(guarded=True)
    client = WebSocketClient(WebSocketOptions.vm(proxy=one.url(password)))
    with pytest.raises(WSNotConnectedError, match="the proxy") as caught:
        await client.connect(server("/echo"))
    assert password not in f"{caught.value}{caught.value.__cause__}"
    if one.scheme == "http":
        # tinyproxy 1.11 answers 401 where RFC 9110 has 407
        assert caught.value.status in {401, 407}
    await client.close()


async def test_nobody_behind(platform, proxy):
    """The proxy works, and the server is not there."""
    options = WebSocketOptions.vm(proxy=proxy(guarded=False).url())
    client = WebSocketClient(options)
    with pytest.raises(WSNotConnectedError, match="the proxy"):
        await client.connect(f"ws://127.0.0.1:{free_port()}/")
    await client.close()


@pytest.mark.parametrize("name", ["https_proxy", "ws_proxy", "all_proxy"])
async def test_of_the_environment(platform, proxy, server, monkeypatch, name):
    """The environment configures the proxy and exceptions."""
    one = proxy(guarded=False)
    monkeypatch.setenv(name, one.url())
    monkeypatch.setenv("no_proxy", "")
    async with WebSocketClient() as client:
        await client.connect(server("/greeting"))
        assert client.handshake.peer[1] == one.port
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        await client.connect(server("/greeting"))
        assert client.handshake.peer[1] != one.port
