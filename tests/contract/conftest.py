"""Fixtures of the contract suite, the same on every platform."""

import pytest

from tests.support.fixtures import connect, key, platform, server
from ws_common.options import platform as platforms

__all__ = ["connect", "key", "platform", "server", "sockets"]


@pytest.fixture(params=["real", "fake"])
def sockets(request, platform):
    """The client's tests run over the platform's sockets, and over the public fake."""
    if request.param == "fake":
        from tests.support.scripted_fake import fake_platform  # noqa: PLC0415

        platforms.bind(fake_platform(platform))
    yield request.param
    platforms.bind(platform)
