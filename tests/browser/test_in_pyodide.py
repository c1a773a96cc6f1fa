"""The same tests, collected and run by pytest inside Pyodide."""

import pytest

from tests.browser.results import Results
from tests.browser.runtimes import RUNTIMES, TIMEOUT


@pytest.mark.timeout(TIMEOUT + 30)
def test_in_pyodide(runtime, page, pyodide_config, table, tmp_path):
    """All pass, some were found, and nothing native was imported."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    results = Results.parse(runtime, RUNTIMES[runtime](page, pyodide_config, tmp_path))
    table.append(results)
    if problems := results.problems():
        tail = "\n".join(said[-20:])
        pytest.fail(f"{problems}\n══ the console's last lines\n{tail}", pytrace=False)
    assert not any(name.startswith("ws_vm") for name in results.modules)
