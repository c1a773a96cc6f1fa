"""A hostile server, from a fixed seed; longer by hand: `python -m tests.bench.fuzz`."""

import itertools

import pytest

from tests.support.fuzz_run import Findings, fuzz
from tests.support.hostile_bytes import scripts

SEED = 6455
COUNT = 300


@pytest.mark.timeout(120)
async def test_hostile_server(platform):
    """All exceptions are ours, nothing hangs, and memory is bounded."""
    findings = Findings()
    await fuzz(itertools.islice(scripts(SEED), COUNT), findings)
    assert findings.faults == []
    assert findings.played == COUNT
    # All kinds of ends were met: refused, broken, lost, and closed by the peer.
    expected = {
        "ws_handshake",
        "ws_connection_closed 1002",
        "ws_connection_closed 1006",
        "ws_connection_closed 1007",
        "ws_connection_closed 1009",
        "ended well",
    }
    assert expected <= set(findings.outcomes)
    assert findings.grown < 64 * 2**20
