"""`ws.run()` on native platforms."""

import asyncio

import pytest

from ws_vm.run import run


def test_returns_the_result():
    """A loop is made for the coroutine, and closed after it."""
    loops = []

    async def main() -> str:
        loops.append(asyncio.get_running_loop())
        return "done"

    assert run(main()) == "done"
    assert loops[0].is_closed()


def test_errors_are_raised():
    """What the program raises leaves `run()`."""

    async def main() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        run(main())
