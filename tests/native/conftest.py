"""Fixtures of the native suite."""

import ssl
import subprocess
import sys

import pytest
import trustme

from tests.support.fixtures import connect, key, platform, server
from tests.support.raw_peer_fixtures import dial, listen
from tests.support.server import Server
from tests.support.urls import Urls

__all__ = ["connect", "dial", "key", "listen", "platform", "server"]


@pytest.fixture(scope="session")
def authority():
    """A certificate authority that the system does not trust."""
    return trustme.CA()


@pytest.fixture(scope="session")
def trusting(authority):
    """A client's TLS context that trusts this authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="session")
def serving_tls(authority):
    """Makes a server's TLS context with a certificate for these names."""

    def make(*names: str, **how) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names, **how).configure_cert(context)
        return context

    return make


@pytest.fixture(scope="session")
def tls_server(serving_tls):
    """The URLs of a server behind TLS, for `localhost`."""
    with Server(ssl=serving_tls("localhost")) as running:
        yield running.urls


@pytest.fixture
def other_server():
    """The URLs of a second server, which is another origin."""
    with Server() as running:
        yield running.urls


@pytest.fixture(scope="session")
def far_server():
    """The URLs of a server in its own process, which does not share the test's loop."""
    command = [sys.executable, "-m", "tests.support.server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        assert process.stdout is not None
        try:
            yield Urls(process.stdout.readline().strip().removesuffix("/echo"))
        finally:
            process.terminate()
