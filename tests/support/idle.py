"""Let the loop run what is ready, without time passing."""

import asyncio

MAX_TURNS = 1000
"""More than any test needs; a program that is never idle is a failure of its test."""

BLIND_TURNS = 200
"""Where a loop does not show what is ready: uvloop, and Pyodide's."""


async def turns(count: int) -> None:
    """Let exactly so many turns of the loop pass."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until_idle() -> None:
    """Let everything run that can run without time passing."""
    ready = getattr(asyncio.get_running_loop(), "_ready", None)
    if ready is None:
        await turns(BLIND_TURNS)
        return
    idle = 0
    for _ in range(MAX_TURNS):
        await asyncio.sleep(0)
        # Twice in a row: a turn that begins with nothing ready looks for timers that
        # are due and for sockets that can be read.
        idle = 0 if ready else idle + 1
        if idle == 2:
            return
    raise AssertionError(f"the loop was not idle after {MAX_TURNS} turns")
