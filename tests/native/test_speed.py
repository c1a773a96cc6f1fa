"""The speed benchmark runs, from its options to its table. Its rates are not judged."""

import json
import os
import sys

import pytest

from tests.bench import speed
from tests.bench.children import Child
from tests.bench.contest import Contender, Contest, Plan
from tests.bench.figures import FIGURES
from tests.bench.speed import main
from tools.common import ToolError

TINY = ["--turns", "1", "--seconds", "0.002", "--clients", "4"]

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="select() takes no pipes on Windows"
)


def test_a_tiny_run(tmp_path, capsys):
    """Every case, with this package and one peer, each in its own process."""
    file = tmp_path / "speed.json"

    assert 0 == main([*TINY, "--peers", "websockets", "--json", str(file)])

    written, printed = json.loads(file.read_text()), capsys.readouterr().out
    measured = {(row["figure"], row["contender"]) for row in written["results"]}
    for figure in FIGURES:
        if not figure.is_memory:  # four clients need not make a process grow
            assert {(figure.title, "ours"), (figure.title, "websockets")} <= measured
            assert figure.title in printed
    assert all(row["ratios"] for row in written["results"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "quic"], "--only quic matches none of these:\n  receive 64 B"),
        (["--against", "no-such-commit"], "find the commit no-such-commit"),
    ],
)
def test_mistakes(arguments, message):
    """Errors in the options are reported before anything is started."""
    with pytest.raises(ToolError, match=message):
        main([*TINY, *arguments])


@pytest.mark.parametrize("arguments", [["--turns", "0"], ["--seconds", "-1"]])
def test_impossible_plans(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)

    assert f"{arguments[0]} must be above 0" in capsys.readouterr().err


def test_sources_of_a_commit(tmp_path, monkeypatch):
    """They are extracted once, and nothing but them is left."""
    monkeypatch.setattr(speed, "SOURCES", tmp_path / "bench")
    commit = speed.find_commit("HEAD")

    src = speed.sources_of(commit)

    assert (src / "ws" / "__init__.py").is_file()
    assert [src.parent] == list((tmp_path / "bench").iterdir())
    assert src == speed.sources_of(commit)


def test_a_process_that_fails():
    """It is named, with what it was doing and how it ended."""
    child = Child("the worker", ["tests.bench.speed_worker", "?"], env=os.environ)

    with pytest.raises(ToolError, match=r"the worker ended with 1;.*starting"), child:
        pass


def test_the_wrong_sources(tmp_path):
    """A contender that imports another `ws` than it should is an error."""
    elsewhere = Contender("elsewhere", "ws", tmp_path)
    contest = Contest([elsewhere], Plan(turns=1, seconds=0.1, clients=1))

    with pytest.raises(ToolError, match="elsewhere imports "):
        contest.measure([])
