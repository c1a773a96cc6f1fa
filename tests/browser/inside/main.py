"""Runs pytest inside Pyodide and returns what became of each test, as JSON."""

import json
import platform
import sys

import js
import pyodide
import pytest

from tests.browser.inside.awaiting import Awaiting
from tests.browser.inside.native_only import NativeOnly
from tests.browser.inside.proxies import Proxies
from tests.browser.inside.recorder import Recorder


def main() -> str:
    """Run the tests that `globalThis.pytestArguments` names."""
    recorder = Recorder()
    arguments = [str(argument) for argument in js.pytestArguments]
    native_only = NativeOnly()
    plugins = [Awaiting(), native_only, Proxies(), recorder]
    code = pytest.main(arguments, plugins=plugins)
    return json.dumps(
        {
            "exit_code": int(code),
            "tests": list(recorder.tests.values()),
            "collection": recorder.collection,
            "left_out": native_only.left_out,
            "versions": {
                "Pyodide": pyodide.__version__,
                "Python": platform.python_version(),
                "pytest": pytest.__version__,
            },
            "agent": str(js.navigator.userAgent),
            "modules": sorted(name for name in sys.modules if name.startswith("ws")),
        }
    )
