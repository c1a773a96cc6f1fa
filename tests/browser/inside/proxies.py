"""A pytest plugin that fails a test which leaves proxies of event handlers alive."""

import gc
from collections.abc import Generator

import js
import pytest


class Proxies:
    """The plugin. `countHandlers` is made by `boot.mjs`."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        item.stash[_BEFORE] = js.countHandlers()
        yield

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        yield
        if js.countHandlers() == item.stash[_BEFORE]:
            return
        gc.collect()  # too slow to be done after every test
        left = js.countHandlers() - item.stash[_BEFORE]
        if left:
            pytest.fail(f"{left} proxies of event handlers are alive", pytrace=False)


_BEFORE = pytest.StashKey[int]()
