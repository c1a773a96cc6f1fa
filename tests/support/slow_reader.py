"""A program that reads slowly, in its own process so that its memory can be measured.

`python -m tests.support.slow_reader URL COUNT COMPRESS` connects, reads nothing for
some heartbeats, then reads the `COUNT` messages of `/flood` with a rest now and then,
and prints what it saw as JSON.
"""

import asyncio
import json
import sys
from pathlib import Path

import ws

HEARTBEAT = 0.2
"""Seconds of its interval, and of its timeout."""

IDLE_BEATS = 6
"""Heartbeats for which nothing is read."""

RESTS = 20
"""How often it rests while it reads."""


def resident() -> int:
    """KiB of memory that this process has now."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS")


def options(*, compress: bool) -> ws.WebSocketOptions:
    return ws.WebSocketOptions.vm(
        compression=compress,
        heartbeat=ws.Heartbeat(HEARTBEAT, HEARTBEAT),
        timeout=60,
    )


async def main(url: str, count: int, *, compress: bool) -> dict[str, object]:
    """Warm up, read the flood, and print the results."""
    chosen = options(compress=compress)
    async with ws.connect(url.replace("/flood", "/echo"), chosen) as client:
        await client.add("x" * 1000)
        await client.recv()
    before, peak = resident(), 0
    in_order = 0
    async with ws.connect(url, chosen) as client:
        for _ in range(IDLE_BEATS * 4):
            await asyncio.sleep(HEARTBEAT / 4)
            peak = max(peak, resident())
        held_back = client.metrics.received_count < count
        for index in range(count):
            message = await client.recv()
            in_order += str(message)[:12].partition(":")[0] == str(index)
            if index % (count // RESTS) == 0:
                peak = max(peak, resident())
                await asyncio.sleep(HEARTBEAT / 4)
        metrics = client.metrics
    return {
        "grown_kib": peak - before,
        "in_order": in_order,
        "held_back": held_back,
        "received": metrics.received_count,
        "size": metrics.received_size,
        "dropped": metrics.dropped_count,
        "disconnects": metrics.disconnects,
    }


if __name__ == "__main__":
    url, count, compress = sys.argv[1:]
    seen = asyncio.run(main(url, int(count), compress=compress == "1"))
    sys.stdout.write(json.dumps(seen))
