"""Run the whole Autobahn test suite, and keep its table in the docs: `make compliance`.

All 517 cases twice, with this client and with bare `websockets`: some twenty minutes.
`--quick` leaves out the large messages and compression in bulk, and writes nothing.
"""

import argparse
import asyncio
import platform
import sys
import time
from collections import Counter
from importlib.metadata import version

import ws
from tools.autobahn import (
    SLOW,
    SUITE,
    Results,
    bare_echo,
    echo,
    ensure_suite,
    failures,
    fuzzing_server,
    order,
    run_cases,
)
from tools.common import BUILD, ROOT, ToolError, guarded, say

PAGE = ROOT / "docs" / "compliance.md"
BEGIN, END = "<!-- table: drawn by `make compliance` -->", "<!-- /table -->"

FOLDER = BUILD / "autobahn"


async def run_suite(*, quick: bool) -> tuple[Results, Results]:
    """The results about our client and about bare websockets."""
    async with fuzzing_server(FOLDER, SLOW if quick else ()) as url:
        ours = await run_cases(url, "ws", echo, FOLDER, tell=True)
        bare = await run_cases(url, "websockets", bare_echo, FOLDER, tell=True)
    return ours, bare


def table(ours: Results, bare: Results) -> str:
    """Counts by result, and each case that is not OK for either."""
    library = f"websockets {version('websockets')}"
    counts, theirs = Counter(ours.values()), Counter(bare.values())
    lines = [
        f"| result | ws {ws.__version__} | {library} |",
        "|---|---|---|",
        *(
            f"| {word} | {counts[word]} | {theirs[word]} |"
            for word in sorted({*counts, *theirs}, key=lambda word: -counts[word])
        ),
        f"| all | {len(ours)} | {len(bare)} |",
        "",
        f"| case that is not OK | ws | {library} |",
        "|---|---|---|",
    ]
    lines += [
        f"| {case} | {ours[case]} | {bare[case]} |"
        for case in sorted(ours, key=order)
        if {ours[case], bare[case]} != {"OK"}
    ]
    return "\n".join(lines)


def keep(drawn: str) -> None:
    """Put the table into the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    python = f"CPython {platform.python_version()}"
    made = f"{SUITE.replace('==', ' ')}, {python}, {time.strftime('%Y-%m-%d')}."
    PAGE.write_text(
        f"{before}{BEGIN}\n{made}\n\n{drawn}\n{END}{after}", encoding="utf-8"
    )


def main() -> int:
    """Run it; fail where we fail a case that bare websockets passes."""
    parser = argparse.ArgumentParser(prog="tools.compliance", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without 9, 12 and 13")
    quick: bool = parser.parse_args().quick
    ensure_suite()
    ours, bare = asyncio.run(run_suite(quick=quick))
    drawn = table(ours, bare)
    say(f"\n{drawn}\n")
    if not quick:
        keep(drawn)
    worse = sorted(set(failures(ours)) - set(failures(bare)), key=order)
    if worse:
        raise ToolError(f"Worse than bare websockets: {', '.join(worse)}")
    say(f"{len(ours)} passed, 0 failed that pass with bare websockets")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
