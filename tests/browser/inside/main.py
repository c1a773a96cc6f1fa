"""Runs pytest inside Pyodide and returns what became of each test, as JSON."""

import json
import platform
import sys

import js
import pyodide
import pytest

from tests.browser.inside.awaiting import Awaiting
from tests.browser.inside.proxies import Proxies
from tests.browser.inside.recorder import Recorder


def main() -> str:
    """Run the tests that `globalThis.pytestArguments` names."""
    recorder = Recorder()
    arguments = [str(argument) for argument in js.pytestArguments]
    code = pytest.main(arguments, plugins=[Awaiting(), Proxies(), recorder])
    return json.dumps(
        {
            "exit_code": int(code),
            "tests": list(recorder.tests.values()),
            "collection": recorder.collection,
            "versions": {
                "Pyodide": pyodide.__version__,
                "Python": platform.python_version(),
                "pytest": pytest.__version__,
            },
            "agent": str(js.navigator.userAgent),
            "modules": sorted(name for name in sys.modules if name.startswith("ws")),
        }
    )
