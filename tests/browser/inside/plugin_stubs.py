"""Stands in for plug-ins that cannot be here: pytest-asyncio and pytest-timeout."""

import pytest

PATIENCE = 60.0
"""Seconds for one test, fixture or teardown, as natively."""

MARKERS = ("asyncio", "timeout(seconds)")
"""Of those plug-ins; known, so that the same files can be collected."""


class Markers:
    """The plugin."""

    def pytest_configure(self, config: pytest.Config) -> None:
        for marker in MARKERS:
            config.addinivalue_line("markers", f"{marker}: see `pyproject.toml`")
