"""Replaces two plugins that do not work in Pyodide: pytest-asyncio, pytest-timeout."""

import pytest

PATIENCE = 60.0
"""Seconds for one test, fixture or teardown, as natively."""

MARKERS = ("asyncio", "timeout(seconds)")
"""The markers of those plugins. `--strict-markers` needs them to be registered."""


class Markers:
    """The plugin."""

    def pytest_configure(self, config: pytest.Config) -> None:
        for marker in MARKERS:
            config.addinivalue_line("markers", f"{marker}: see `pyproject.toml`")
