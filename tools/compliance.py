"""Run the whole Autobahn test suite and update the docs: `make compliance`.

All 517 cases run twice, with this client and with bare `websockets`, which takes about
twenty minutes. `--quick` leaves out large messages and bulk compression, and does not
update the table.
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
    """Run the suite, and return the results of our client and of bare `websockets`."""
    # Both run against the same server. The comparison shows which failures are ours and
    # which ones the library has too.
    async with fuzzing_server(FOLDER, SLOW_CASES if quick else ()) as url:
        ours = await run_cases(url, "ws", echo, FOLDER, show_progress=True)
        bare = await run_cases(
            url, "websockets", echo_with_websockets, FOLDER, show_progress=True
        )
    return ours, bare


def format_table(ours: Results, bare: Results) -> str:
    """Format the counts by result, and the cases that are not OK for either client."""
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
    # Cases that are OK for both clients are left out: they are most of the 517 cases.
    lines += [
        f"| {case} | {ours[case]} | {bare[case]} |"
        for case in sorted(ours, key=parse_case)
        if {ours[case], bare[case]} != {"OK"}
    ]
    return "\n".join(lines)


def write_table(table: str) -> None:
    """Replace the table in the page, with the versions and the date above it."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    python = f"CPython {platform.python_version()}"
    origin = f"{SUITE.replace('==', ' ')}, {python}, {time.strftime('%Y-%m-%d')}."
    PAGE.write_text(
        f"{before}{BEGIN}\n{origin}\n\n{table}\n{END}{after}", encoding="utf-8"
    )


def main() -> int:
    """Run the suite; fail if we fail a case that passes with bare `websockets`."""
    parser = argparse.ArgumentParser(prog="tools.compliance", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="leave out the cases 9.*, 12.* and 13.*"
    )
    quick: bool = parser.parse_args().quick
    ensure_suite()
    ours, bare = asyncio.run(run_suite(quick=quick))
    table = format_table(ours, bare)
    print_line(f"\n{table}\n")
    # The table in the docs has all cases; a part of them must not replace it.
    if not quick:
        write_table(table)
    # A case that fails with both, such as 7.1.5, is not a regression of ours.
    worse = sorted(
        set(select_failures(ours)) - set(select_failures(bare)), key=parse_case
    )
    if worse:
        raise ToolError(
            f"These cases pass only with bare websockets: {', '.join(worse)}"
        )
    print_line(f"{len(ours)} cases were run; none fails only with ws")
    return 0


if __name__ == "__main__":
    sys.exit(run_main(main))
