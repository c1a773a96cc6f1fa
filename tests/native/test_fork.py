"""A client in a forked process: servers fork workers after importing everything."""

import multiprocessing
import sys

import pytest

import ws


def _draw(draws) -> None:
    draws.put(ws.ConnectionRetryInterval(1, 100).draw(5))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
def test_forked_processes_draw_each_their_own():
    """Each worker draws its own delays: with equal ones jitter would be useless."""
    ws.ConnectionRetryInterval(1, 100).draw(5)
    context = multiprocessing.get_context("fork")
    draws = context.Queue()
    workers = [context.Process(target=_draw, args=(draws,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    drawn = {draws.get(timeout=20) for _ in workers}
    for worker in workers:
        worker.join()
    assert len(drawn) == len(workers)
