"""A fixture for every suite with synchronous tests. Import it into a conftest."""

import asyncio
import sys

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_loop_of_its_own():
    """Keep the plugin looptime from making a loop for tests that have none.

    It asks for the current one. Up to Python 3.13 that makes one, which nobody closes.
    """
    if sys.version_info < (3, 14):
        asyncio.set_event_loop(None)
