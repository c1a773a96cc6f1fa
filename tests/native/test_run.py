"""`ws.run()`: what ends a program, and what its servers see of that."""

import asyncio
import signal
import subprocess
import sys
import threading

import pytest
from websockets.asyncio.server import serve

import ws

PROGRAM = """
import asyncio, sys
import ws

url, count = sys.argv[1], int(sys.argv[2])

async def talk(ready):
    async with ws.connect(url) as client:
        await client.recv()
        ready.release()
        await client.recv()

async def main():
    ready = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(talk(ready))
        for _ in range(count):
            await ready.acquire()
        print("ready", flush=True)

ws.run(main())
"""


@pytest.mark.parametrize("count", [1, 100])
@pytest.mark.parametrize(
    ("by", "status"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143)]
)
async def test_signals_end_a_program(by, status, count):
    """Every server sees 1001, and the exit status says which signal it was."""
    codes: asyncio.Queue[int | None] = asyncio.Queue()

    async def greet(connection) -> None:
        await connection.send("hello")
        await connection.wait_closed()
        codes.put_nowait(connection.close_code)

    async with serve(greet, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, url, str(count)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
            process.send_signal(by)
            _, errors = await asyncio.wait_for(process.communicate(), 10)
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode == status
        assert [await codes.get() for _ in range(count)] == [1001] * count
        assert (b"KeyboardInterrupt" in errors) is (by == signal.SIGINT)


def test_a_program_that_handles_its_cancellation():
    """What it returns after a SIGTERM is returned: nobody is told of an exit."""

    async def main() -> str:
        signal.raise_signal(signal.SIGTERM)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "cleaned up"
        return "never"

    assert ws.run(main()) == "cleaned up"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_handler_of_the_program():
    """One that was set before stays."""
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append("term"))

    async def main() -> None:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0)

    try:
        ws.run(main())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == ["term"]


def test_in_a_thread():
    """A thread cannot handle signals, and runs the program all the same."""
    results = []

    async def main() -> str:
        return "done"

    thread = threading.Thread(target=lambda: results.append(ws.run(main())))
    thread.start()
    thread.join(10)
    assert results == ["done"]


def test_another_loop():
    """`loop_factory` makes the loop."""
    made = []

    def factory():
        made.append(asyncio.new_event_loop())
        return made[-1]

    async def main():
        return asyncio.get_running_loop()

    assert ws.run(main(), loop_factory=factory) is made[0]


def test_what_a_program_raises():
    """Its cancellation of itself is no signal."""

    async def main() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        ws.run(main())


def test_a_function():
    """The message says what to write."""

    async def main() -> None: ...

    with pytest.raises(TypeError, match=r"write ws\.run\(main\(\)\)"):
        ws.run(main)
    with pytest.raises(TypeError, match=r"takes a coroutine, not 1$"):
        ws.run(1)


async def test_where_a_loop_is_running():
    """As in a notebook: the message says what to write, and nothing is left over."""

    async def main() -> None: ...

    with pytest.raises(RuntimeError, match="write `await main"):
        ws.run(main())
