"""The speed of this package beside that of its peers: `make bench`.

    make bench ARGS="--against COMMIT"        and beside a commit of this repository
    make bench ARGS="--quick --only receive"  two minutes at most, some figures only

Each contender runs in a process of its own (`speed_worker.py`), and so does the server
(`flood_server.py`). In each turn every contender does every case once, in rotating
order. The number of messages is calibrated for each contender beforehand, so that a
turn takes about `--seconds` whether it is fast or slow.

"receive" is `async for` with this package and a loop of `recv()` or `receive()` with
its peers; "listen" is `stream.listen(function)`, and again that loop with its peers.
Memory is the growth of the resident memory of a fresh process, measured on Linux only.
Compression is off, and all other options have their defaults.

Compare ratios within one run, not rates of different runs or machines. While other
programs keep the machine busy, "CPU us", the processor time that the client's process
takes for each message, is more reliable than the rates.
"""

import argparse
import importlib.util
import json
import shutil
import sys
import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from tests.bench.contest import Contender, Contest, Plan
from tests.bench.figures import OURS, Case, Figure, Runs, chosen, rows, table
from tools.common import ROOT, ToolError, print_line, run, run_main

PEERS = ("websockets", "aiohttp")

SOURCES = ROOT / ".cache" / "bench"
"""Where the sources of other commits are kept."""

DESCRIBE = ("git", "describe", "--always", "--dirty", "--exclude=*")

FULL = {"turns": 9, "seconds": 0.5, "clients": 1000}
QUICK = {"turns": 5, "seconds": 0.2, "clients": 500}


def find_commit(commit: str) -> str:
    """The full hash of a commit.

    Raises:
        ToolError: There is no such commit.
    """
    command = ["git", "rev-parse", "--verify", f"{commit}^{{commit}}"]
    return run(command, what=f"find the commit {commit}").strip()


def sources_of(commit: str) -> Path:
    """The folder `src` of a commit, given by its full hash; extracted once.

    Raises:
        ToolError: It has no such folder.
    """
    folder = SOURCES / commit
    if not folder.is_dir():
        SOURCES.mkdir(parents=True, exist_ok=True)
        packed, half = folder.with_suffix(".zip"), folder.with_suffix(".part")
        command = ["git", "archive", f"--output={packed}", commit, "src"]
        run(command, what=f"get src/ of {commit}")
        # Renamed when complete, so that an interrupted run leaves no half of it.
        shutil.rmtree(half, ignore_errors=True)
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(half)
        half.rename(folder)
        packed.unlink()
    return folder / "src"


def contenders(peers: Sequence[str], commit: str | None) -> list[Contender]:
    """The working tree, the commit if there is one, and the peers."""
    found = [Contender(OURS, "ws")]
    if commit is not None:
        found.append(Contender(commit[:7], "ws", sources_of(commit)))
    return [*found, *(Contender(peer, peer) for peer in peers)]


def summary(
    figures: Sequence[Figure],
    results: Mapping[Case, Runs],
    facts: Mapping[str, object],
    json_file: Path | None = None,
) -> str:
    """Sum up all figures as a table, and as JSON if a file is named."""
    summed_up = [
        row for figure in figures for row in rows(figure, results[figure.case])
    ]
    if json_file is not None:
        whole = {**facts, "results": summed_up}
        json_file.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    head = ", ".join(f"{name} {value}" for name, value in facts.items() if value)
    return f"{head}\n\n{table(summed_up)}"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options, with defaults that depend on `--quick` filled in."""
    parser = argparse.ArgumentParser(
        prog="tests.bench.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--against", metavar="COMMIT", help="compare with it, too")
    parser.add_argument("--quick", action="store_true", help="two minutes at most")
    parser.add_argument("--only", metavar="PATTERN", help="figures whose titles match")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write JSON as well")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS))
    parser.add_argument("--turns", type=int, help="default 9, with --quick 5")
    parser.add_argument("--seconds", type=float, help="default 0.5, with --quick 0.2")
    parser.add_argument("--clients", type=int, help="default 1000, with --quick 500")
    asked = parser.parse_args(arguments)
    for name, default in (QUICK if asked.quick else FULL).items():
        if getattr(asked, name) is None:
            setattr(asked, name, default)
        elif getattr(asked, name) <= 0:
            parser.error(f"--{name} must be above 0")
    if importlib.util.find_spec(asked.loop) is None:
        parser.error(f"--loop {asked.loop}: {asked.loop} is not installed")
    return asked


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table.

    Raises:
        ToolError: An option names what does not exist, or a process failed.
    """
    asked = parse(arguments)
    figures = chosen(asked.only)
    if not figures:
        titles = "\n  ".join(figure.title for figure in chosen(None))
        raise ToolError(f"--only {asked.only} matches none of these:\n  {titles}")
    plan = Plan(asked.turns, asked.seconds, asked.clients, asked.loop)
    commit = find_commit(asked.against) if asked.against else None
    contest = Contest(contenders(asked.peers, commit), plan)
    results = contest.measure(list(dict.fromkeys(fig.case for fig in figures)))
    facts = {
        "ours": run(DESCRIBE, what="describe the working tree").strip(),
        "against": commit,
        "python": sys.version.split()[0],
        **{peer: version(peer) for peer in asked.peers},
        **plan._asdict(),
    }
    print_line(summary(figures, results, facts, asked.json))
    return 0


if __name__ == "__main__":
    sys.exit(run_main(main))
