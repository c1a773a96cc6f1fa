"""A network of two namespaces for each test."""

import asyncio

import pytest

from tests.native.conftest import platform
from tests.support.network_namespaces import ADDRESSES, Network, NoNamespacesError
from tests.support.server import Server

__all__ = ["platform"]


@pytest.fixture
def network():
    """The network; where a machine has none, the test is skipped and says why."""
    try:
        with Network() as made:
            yield made
    except NoNamespacesError as error:
        pytest.skip(f"{error} (that takes root, iproute2 and iptables)")


@pytest.fixture
def far_server(network, platform):
    """A test server at the other end of the cable."""
    server = Server(host=ADDRESSES["server"])
    with network.inside("server") as there:
        there.submit(server.__enter__).result()
        yield server.urls
        there.submit(server.__exit__, None, None, None).result()


@pytest.fixture
def here(network):
    """Runs a coroutine at the client's end."""

    def run(scenario):
        with network.inside("client") as thread:
            return thread.submit(asyncio.run, scenario).result()

    return run
