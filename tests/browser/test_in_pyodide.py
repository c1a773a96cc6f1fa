"""Runs the tests by pytest inside Pyodide."""

import pytest

from tests.browser.engines.tab import TIMEOUT
from tests.browser.results import Results
from tests.browser.runtimes import RUNTIMES, node_version, run_in_node, run_in_tab

CASES = [
    pytest.param(name, marks=() if runtime.everywhere else pytest.mark.everywhere)
    for name, runtime in RUNTIMES.items()
]


@pytest.mark.timeout(TIMEOUT + 30)
@pytest.mark.parametrize("runtime", CASES)
def test_in_pyodide(runtime, tab, pyodide_config, table, tmp_path):
    """All tests pass, there are some, and nothing native was imported."""
    script = RUNTIMES[runtime].script
    if tab is None:
        version, text = node_version(), run_in_node(script, pyodide_config, tmp_path)
    else:
        version, text = tab.version, run_in_tab(tab, script, pyodide_config)
    results = Results.parse(runtime, version, text)
    table.append(results)
    results.keep_coverage()
    if problems := results.problems():
        pytest.fail(problems, pytrace=False)
    assert not any(name.startswith("ws_vm") for name in results.modules)
