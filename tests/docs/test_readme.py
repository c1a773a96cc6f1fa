"""The examples in the README run as they stand."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
ADDRESS = "ws://127.0.0.1:8000/ws"
"""As the examples have it, and `make demo` serves it; free ports serve it here."""


@pytest.fixture(scope="module")
def endpoint():
    config = runpy.run_path(str(ROOT / "playwright.config.py"))
    with config["demo_server"]() as url:
        yield url.replace("http", "ws", 1) + "/ws"


def run(example: str, endpoint: str) -> str:
    """Run an example against our server, and return what it printed."""
    program = example.replace(ADDRESS, endpoint)
    done = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert "" == done.stderr
    return done.stdout


def test_first_example(endpoint):
    """The first screen's example prints what it was sent back."""
    assert ADDRESS in EXAMPLES[0]
    assert "Hello!\n" == run(EXAMPLES[0], endpoint)


def test_staying_connected(endpoint):
    """The second is cut off, comes back, and goes on."""
    printed = run(EXAMPLES[1], endpoint)

    assert "now: Reconnecting(" in printed
    assert "back again: Open(" in printed
    assert "{'hello': 'JSON'}" in printed


def test_without_a_network(endpoint):
    """The third needs no server: its assertions hold."""
    assert ADDRESS not in EXAMPLES[2]
    assert "" == run(EXAMPLES[2], endpoint)


def test_all_examples_are_run():
    """An example that is added here gets a test too."""
    assert 3 == len(EXAMPLES)
