"""`ws.run()` in a browser; `test_older_pyodide.py` has what its console shows."""

import asyncio
import gc
import weakref

from tests.support.idle import until_idle
from ws_js.pyodide_run import run


async def test_the_result_of_a_program():
    """The task has the result of the program."""

    async def main():
        await asyncio.sleep(0)
        return 7

    assert 7 == await run(main())


async def test_a_program_needs_no_reference():
    """A loop refers to its tasks weakly, and pages do not keep what run() returns."""
    events, finished = [], []

    async def main():
        event = asyncio.Event()
        events.append(weakref.ref(event))
        await event.wait()
        finished.append(True)

    run(main())
    await until_idle()
    gc.collect()
    event = events[0]()
    assert event is not None, "the task and all that it refers to were collected"
    event.set()
    await until_idle()
    assert [True] == finished
