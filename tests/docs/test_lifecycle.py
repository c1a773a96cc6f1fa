"""The examples in docs/lifecycle.md run as they stand, and print what they say."""

import re
from pathlib import Path

import pytest

from tests.docs.test_readme import ADDRESS, endpoint, run_program

__all__ = ["endpoint"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "lifecycle.md"
EXAMPLES = re.findall(
    r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)
PRINTED = [
    r"attempt 1\nlost with 1006; again within True second\nattempt 1\nconnection 2\n",
    r"attempt 1 after None\nhello\nOpen\(url='ws://[0-9.:]+/ws\?token=…', .*\)\n",
    r"20\n",
    r"\[1\.0, 2\.0, 4\.0, 8\.0, 15\.0, 15\.0\]\n",
    r"session 1\nsubscribe\nsession 2\nsubscribe\n",
    r"15\.0\n",
]


@pytest.mark.parametrize("number", range(len(PRINTED)))
def test_example(endpoint, number):
    """Each is a whole program."""
    printed = run_program(EXAMPLES[number].replace(ADDRESS, endpoint))

    assert re.fullmatch(PRINTED[number], printed), printed


def test_all_examples_are_run():
    """An example that is added here gets an expectation too."""
    assert len(PRINTED) == len(EXAMPLES)
