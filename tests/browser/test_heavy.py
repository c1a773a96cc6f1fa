"""Heavy use of one page of Chromium, after which no more memory is in use."""

import pytest

from tests.browser.engines import devtools
from tests.browser.page_meter import Measured
from tests.browser.static_server import serve
from tests.support.server import Server

MODULE = "tests.browser.inside.heavy"
MIB = 2**20
PATIENCE = 400
FLOOD = 2**14
"""Messages of 64 KiB."""

pytestmark = [pytest.mark.everywhere, pytest.mark.timeout(PATIENCE)]


@pytest.fixture
def measured(bundle, tmp_path):
    with serve(bundle.archives) as base, devtools.start(tmp_path) as page:
        yield Measured(page, base, list(bundle.archives))


@pytest.fixture
def server():
    """A page whose timeout is that of a test."""
    with Server(lifetime=PATIENCE) as server:
        yield server.urls


def is_flat(before, after):
    """Assert that no memory is lost between two measurements."""
    print(f"\nbefore {before}\nafter  {after}")  # noqa: T201 - for `-s`
    assert after.proxies == before.proxies
    assert after.objects - before.objects < 1000
    assert after.js - before.js < 2 * MIB
    assert after.buffers - before.buffers < 2 * MIB
    assert after.wasm == before.wasm


def test_connections(measured, server):
    """A thousand connections are opened and closed."""
    assert measured.call(MODULE, "connections", server("/echo"), 200) == 200
    before = measured.memory()
    assert measured.call(MODULE, "connections", server("/echo"), 1000) == 1000
    is_flat(before, measured.memory())


def test_reconnections(measured, server):
    """The connection of one client is reset a thousand times."""
    assert measured.call(MODULE, "reconnections", server("/echo"), 100) == 100
    before = measured.memory()
    assert measured.call(MODULE, "reconnections", server("/echo"), 1000) == 1000
    is_flat(before, measured.memory())


@pytest.mark.parametrize("kind", ["text", "binary", "blob"])
def test_messages(measured, server, kind):
    """A hundred thousand messages of 1 KiB are sent and received."""
    assert measured.call(MODULE, "messages", server("/echo"), 10_000, kind) == 10_000
    before = measured.memory()
    assert measured.call(MODULE, "messages", server("/echo"), 100_000, kind) == 100_000
    is_flat(before, measured.memory())


def test_flood(measured, server):
    """A subscriber that does not read holds 64 MiB, then fails; others read on."""
    url = server("/flood", count=FLOOD, size=64 * 1024, wait=1)
    told = measured.call(MODULE, "flood", url, FLOOD)
    assert told == f"WSStreamOverflowError, {FLOOD} seen by another"
    _, buffers = measured.heap()
    print(f"\nWebAssembly {measured.wasm()}, buffers {buffers}")  # noqa: T201 - for `-s`
    # 1 GiB came. Of it, 64 MiB are kept, and what is being read on top of it.
    assert measured.wasm() < 192 * MIB
    assert buffers < 32 * MIB
