"""`ws.run()` in a browser; `test_older_pyodide.py` has what its console shows."""

import asyncio
import gc

from ws_js.pyodide_run import run


async def test_the_result_of_a_program():
    """The task has the result of the program."""

    async def main():
        await asyncio.sleep(0)
        return 7

    assert 7 == await run(main())


async def test_a_program_needs_no_reference():
    """A loop refers to its tasks weakly, and pages do not keep what run() returns."""
    finished = []

    async def main():
        await asyncio.sleep(0)
        gc.collect()
        await asyncio.sleep(0)
        finished.append(True)

    run(main())
    for _ in range(5):
        gc.collect()
        await asyncio.sleep(0)
    assert [True] == finished
