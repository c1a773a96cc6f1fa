"""The same tests, collected and run by pytest inside Pyodide."""

import sys

import pytest

from tests.browser.results import Results
from tests.browser.runtimes import RUNTIMES, TIMEOUT


@pytest.mark.timeout(TIMEOUT + 30)
def test_in_pyodide(runtime, page, pyodide_config, table, tmp_path):
    """All pass, some were found, and nothing native was imported."""
    page.on("console", lambda message: sys.stdout.write(f"{message.text}\n"))
    page.on("pageerror", lambda error: sys.stdout.write(f"{error}\n"))
    results = Results.parse(runtime, RUNTIMES[runtime](page, pyodide_config, tmp_path))
    table.append(results)
    if problems := results.problems():
        pytest.fail(problems, pytrace=False)
    assert not any(name.startswith("ws_vm") for name in results.modules)
