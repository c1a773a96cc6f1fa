"""The examples in docs/lifecycle.md run as they stand, and print what they say."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "lifecycle.md"
ADDRESS = "ws://127.0.0.1:8000/ws"
EXAMPLES = re.findall(
    r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)
PRINTED = [
    r"lost with 1006; attempt 2 in less than a second\nattempt 2\nconnection 2\n",
    r"attempt 1 after None\nhello\nOpen: connection 1\n",
    r"20\n",
    r"\[1\.0, 2\.0, 4\.0, 8\.0, 15\.0, 15\.0\]\n",
    r"session 1\nsubscribe\nsession 2\nsubscribe\n",
    r"15\.0\n",
]


@pytest.fixture(scope="module")
def endpoint():
    config = runpy.run_path(str(ROOT / "playwright.config.py"))
    with config["demo_server"]() as url:
        yield url.replace("http", "ws", 1) + "/ws"


@pytest.mark.parametrize("number", range(len(PRINTED)))
def test_example(endpoint, number):
    """Each is a whole program."""
    program = EXAMPLES[number].replace(ADDRESS, endpoint)
    done = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )

    # Where the server hangs up, the log warns of it; nothing else is written there.
    warned = r"connection 1 to \S+ lost \(network_lost: .*\): trying again in .*\n"
    assert re.fullmatch(rf"({warned})?", done.stderr), done.stderr
    assert re.fullmatch(PRINTED[number], done.stdout), done.stdout


def test_all_examples_are_run():
    """An example that is added here gets an expectation too."""
    assert len(PRINTED) == len(EXAMPLES)
