"""What `ws.run()` accepts in a page."""

import asyncio

import pytest

import ws
from ws_js.pyodide_run import run


async def main() -> None: ...


async def test_loop_factory():
    """A page has a loop; the program's coroutine is not left over."""
    program = main()
    with pytest.raises(ws.WSUnsupportedError, match="a page has an event loop"):
        run(program, loop_factory=asyncio.new_event_loop)
    with pytest.raises(RuntimeError, match="cannot reuse"):
        await program


async def test_a_function():
    """The message says what to write."""
    with pytest.raises(TypeError, match=r"write ws\.run\(main\(\)\)"):
        run(main)
