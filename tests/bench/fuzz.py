"""Fuzz for longer: `python -m tests.bench.fuzz --seconds 600 [--seed N]`."""

import argparse
import asyncio
import secrets
import sys
import time
from collections.abc import Iterator

from tests.support.fuzz_run import Findings, fuzz
from tests.support.hostile_bytes import Script, scripts


def until(deadline: float, endless: Iterator[Script]) -> Iterator[Script]:
    for script in endless:
        if time.monotonic() > deadline:
            return
        yield script


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    asked = parser.parse_args()
    findings = Findings()
    deadline = time.monotonic() + asked.seconds
    asyncio.run(fuzz(until(deadline, scripts(asked.seed)), findings))
    faults, grown = len(findings.faults), findings.grown / 2**20
    lines = [
        f"seed {asked.seed}: {findings.played} scripts, {faults} faults",
        f"  memory grown by {grown:.1f} MiB",
        *(f"  {count:7} {name}" for name, count in findings.outcomes.most_common()),
        *(f"  FAULT {fault}" for fault in findings.faults[:50]),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if findings.faults else 0


if __name__ == "__main__":
    sys.exit(main())
