"""The race between a host's addresses: the winner, the delay, and no leaks."""

import asyncio
import errno
import socket
import sys

import pytest

from tests.support.client_driver import begin
from tests.support.resource_counter import Turns, descriptors, nothing_left
from tests.support.silent_ports import silent
from ws_vm import happy_eyeballs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="counts descriptors")

HOST = "host.example"


@pytest.fixture
def listener():
    """A port that listens on every loopback address."""
    with socket.socket() as sock:
        sock.bind(("0.0.0.0", 0))
        sock.listen(64)
        yield sock.getsockname()[1]


@pytest.fixture
def resolve(monkeypatch):
    """Makes a name resolve to these addresses."""

    def have(*hosts: str) -> None:
        async def getaddrinfo(_host, port, **_how):
            kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
            return [(*kind, (host, port)) for host in hosts]

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)

    return have


async def test_an_address_needs_no_resolver(listener, monkeypatch):
    """No thread is started to resolve an address."""
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", None)
    with await happy_eyeballs.connect_tcp("127.0.0.1", listener, None) as sock:
        assert sock.getpeername() == ("127.0.0.1", listener)
        assert not sock.getblocking()


async def test_the_next_address(listener, resolve):
    """After an address that refuses the next one is tried at once."""
    resolve("255.255.255.255", "127.0.0.2")
    before = asyncio.get_running_loop().time()
    with await happy_eyeballs.connect_tcp(HOST, listener, None) as sock:
        assert sock.getpeername()[0] == "127.0.0.2"
    assert (
        asyncio.get_running_loop().time() - before
        < happy_eyeballs.CONNECTION_ATTEMPT_DELAY
    )


async def test_where_from(listener, resolve):
    """The connection comes from `local_addr`."""
    resolve("127.0.0.1")
    with await happy_eyeballs.connect_tcp(HOST, listener, ("127.0.0.9", 0)) as sock:
        assert sock.getsockname()[0] == "127.0.0.9"
    with pytest.raises(OSError, match="no address of the family AF_INET"):
        await happy_eyeballs.connect_tcp(HOST, listener, ("::1", 0))


async def test_nobody_takes_it(resolve):
    """The error is that of the addresses; different errors are combined."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        resolve("127.0.0.1", "127.0.0.1")
        with pytest.raises(ConnectionRefusedError) as caught:
            await happy_eyeballs.connect_tcp(HOST, port, None)
        assert caught.value.errno == errno.ECONNREFUSED
        resolve("127.0.0.1", "127.0.0.2")
        with pytest.raises(ConnectionRefusedError, match=r"127\.0\.0\.1.*127\.0\.0\.2"):
            await happy_eyeballs.connect_tcp(HOST, port, None)
    resolve()
    with pytest.raises(OSError, match="no address"):
        await happy_eyeballs.connect_tcp(HOST, 1, None)


async def test_cancelled_at_every_turn(listener, resolve, monkeypatch):
    """No socket leaks, even if two addresses have just answered."""
    resolve("127.0.0.1", "127.0.0.2", "127.0.0.3")
    monkeypatch.setattr(happy_eyeballs, "CONNECTION_ATTEMPT_DELAY", 0)
    before, turns = descriptors(), Turns()
    for count in range(20):
        work = begin(happy_eyeballs.connect_tcp(HOST, listener, None))
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
    """All attempts that hang are cancelled."""
    resolve("127.0.0.1", "127.0.0.1", "127.0.0.1")
    with silent(full=True) as address:
        before = descriptors()
        work = begin(
            happy_eyeballs.connect_tcp(HOST, int(address.rpartition(":")[2]), None)
        )
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
