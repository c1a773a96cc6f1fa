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
    SLOW_CASES,
    SUITE,
    Results,
    echo,
    echo_with_websockets,
    ensure_suite,
    fuzzing_server,
    parse_case,
    run_cases,
    select_failures,
)
from tools.common import BUILD, ROOT, ToolError, print_line, run_main

PAGE = ROOT / "docs" / "compliance.md"
BEGIN, END = "<!-- table: drawn by `make compliance` -->", "<!-- /table -->"

FOLDER = BUILD / "autobahn"


async def run_suite(*, quick: bool) -> tuple[Results, Results]:
    """The results about our client and about bare websockets."""
    async with fuzzing_server(FOLDER, SLOW_CASES if quick else ()) as url:
        ours = await run_cases(url, "ws", echo, FOLDER, show_progress=True)
        bare = await run_cases(
            url, "websockets", echo_with_websockets, FOLDER, show_progress=True
        )
    return ours, bare


def format_table(ours: Results, bare: Results) -> str:
    """Counts by result, and each case that is not OK for either."""
    library = f"websockets {version('websockets')}"
    our_counts, bare_counts = Counter(ours.values()), Counter(bare.values())
    lines = [
        f"| result | ws {ws.__version__} | {library} |",
        "|---|---|---|",
        *(
            f"| {result} | {our_counts[result]} | {bare_counts[result]} |"
            for result in sorted(
                {*our_counts, *bare_counts}, key=lambda result: -our_counts[result]
            )
        ),
        f"| all | {len(ours)} | {len(bare)} |",
        "",
        f"| case that is not OK | ws | {library} |",
        "|---|---|---|",
    ]
    lines += [
        f"| {case} | {ours[case]} | {bare[case]} |"
        for case in sorted(ours, key=parse_case)
        if {ours[case], bare[case]} != {"OK"}
    ]
    return "\n".join(lines)


def write_table(table: str) -> None:
    """Put the table into the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    python = f"CPython {platform.python_version()}"
    origin = f"{SUITE.replace('==', ' ')}, {python}, {time.strftime('%Y-%m-%d')}."
    PAGE.write_text(
        f"{before}{BEGIN}\n{origin}\n\n{table}\n{END}{after}", encoding="utf-8"
    )


def main() -> int:
    """Run it; fail where we fail a case that bare websockets passes."""
    parser = argparse.ArgumentParser(prog="tools.compliance", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without 9, 12 and 13")
    quick: bool = parser.parse_args().quick
    ensure_suite()
    ours, bare = asyncio.run(run_suite(quick=quick))
    table = format_table(ours, bare)
    print_line(f"\n{table}\n")
    if not quick:
        write_table(table)
    worse = sorted(
        set(select_failures(ours)) - set(select_failures(bare)), key=parse_case
    )
    if worse:
        raise ToolError(f"Worse than bare websockets: {', '.join(worse)}")
    print_line(f"{len(ours)} passed, 0 failed that pass with bare websockets")
    return 0


if __name__ == "__main__":
    sys.exit(run_main(main))
