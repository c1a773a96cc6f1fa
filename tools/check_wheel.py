"""Test the wheel as a user gets it: in an empty environment, without `src/`."""

import json
import statistics
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

from tools.assets import build_wheel
from tools.common import BUILD, ToolError, print_line, run

PACKAGES = ("ws", "ws_common", "ws_js", "ws_vm")
EXPECTED_DISTRIBUTIONS = {"websockets", "ws-everywhere"}

IMPORT_ALLOWANCE = 0.015
"""Seconds that `import ws` may take longer than `import websockets.asyncio.client`."""

IMPORT_ROUNDS = 15
"""How often each import is measured."""

ECHO_PROGRAM = """
import asyncio, pathlib, sys
from websockets.asyncio.server import serve
import ws

async def echo(connection):
    async for message in connection:
        await connection.send(message)

async def main():
    async with serve(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with ws.connect(f"ws://127.0.0.1:{port}/") as client:
            for message in ("text", "", b"\\x00\\xff", "ÿ" * 1000):
                await client.add(message)
                assert await client.recv() == message, message
    assert "site-packages" in pathlib.Path(ws.__file__).parts, ws.__file__
    assert "ws_js" not in sys.modules
    assert ws.PLATFORM == "vm"

ws.run(main())
print("conversation: ok")
"""

TIMING_PROGRAM = """
import time
began = time.process_time()
import {module}
print(time.process_time() - began)
"""
"""Prints the processor time of an import.

Unlike elapsed time, it does not grow when other programs keep the machine busy.
"""


def check_wheel() -> str:
    """Build the wheel, install it, and test it.

    Returns:
        The installed versions, the output of an echo client, and the import times.

    Raises:
        ToolError: The wheel has wrong contents, does not work, or imports too slowly.
    """
    wheel = build_wheel()
    _check_contents(wheel)
    environment = BUILD / "wheel-venv"
    # The environment has no pip of its own, so the list of its packages shows exactly
    # what the wheel and its dependencies have installed.
    venv.create(environment, clear=True, with_pip=False)
    binary = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    python = environment / binary
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    run([*pip, "install", "--quiet", wheel], what="install the wheel")
    installed = _parse_packages(
        run([*pip, "list", "--format=json"], what="list packages")
    )
    if set(installed) != EXPECTED_DISTRIBUTIONS:
        raise ToolError(
            f"The wheel should install {EXPECTED_DISTRIBUTIONS}, not {installed}"
        )
    lines = [
        f"installed: {', '.join(f'{n} {v}' for n, v in sorted(installed.items()))}"
    ]
    with tempfile.TemporaryDirectory() as folder:
        lines.append(_run_isolated(python, ECHO_PROGRAM, Path(folder)).strip())
        lines.append(_check_import_time(python, Path(folder)))
    return "\n".join(lines)


def _check_contents(wheel: Path) -> None:
    files = zipfile.ZipFile(wheel).namelist()
    # Without `py.typed` in every package, type checkers ignore our annotations.
    missing = [name for name in PACKAGES if f"{name}/py.typed" not in files]
    if missing:
        raise ToolError(f"No py.typed in the wheel for {', '.join(missing)}")
    top_level = {name.partition("/")[0] for name in files}
    unexpected = {top for top in top_level if not top.endswith(".dist-info")} - set(
        PACKAGES
    )
    if unexpected or not wheel.name.endswith("-py3-none-any.whl"):
        raise ToolError(f"{wheel.name} contains more than our packages: {unexpected}")


def _parse_packages(listing: str) -> dict[str, str]:
    return {item["name"]: item["version"] for item in json.loads(listing)}


def _run_isolated(python: Path, program: str, cwd: Path) -> str:
    # -I keeps the working directory and PYTHONPATH out of sys.path, so that the program
    # cannot import `ws` from src/. `-W error` fails on any warning at import.
    command = [str(python), "-I", "-W", "error", "-c", program]
    return run(command, cwd=cwd, what="use the installed wheel", timeout=60)


def _check_import_time(python: Path, cwd: Path) -> str:
    # Other load on the machine can distort one comparison. Three in a row are evidence.
    for _ in range(3):
        ours, theirs = _import_times(python, cwd)
        if ours <= theirs + IMPORT_ALLOWANCE:
            break
    line = (
        f"import time, median of {IMPORT_ROUNDS}: ws {ours * 1000:.1f} ms, "
        f"websockets.asyncio.client {theirs * 1000:.1f} ms"
    )
    if ours > theirs + IMPORT_ALLOWANCE:
        raise ToolError(
            f"{line}: the difference is above {IMPORT_ALLOWANCE * 1000:.0f} ms"
        )
    return line


def _import_times(python: Path, cwd: Path) -> tuple[float, float]:
    samples: dict[str, list[float]] = {"ws": [], "websockets.asyncio.client": []}
    # The two imports alternate, so that other load on the machine affects both equally.
    for _ in range(IMPORT_ROUNDS):
        for module, seconds in samples.items():
            program = TIMING_PROGRAM.format(module=module)
            seconds.append(float(_run_isolated(python, program, cwd)))
    ours, theirs = (statistics.median(seconds) for seconds in samples.values())
    return ours, theirs


if __name__ == "__main__":
    try:
        print_line(check_wheel())
    except (ToolError, subprocess.SubprocessError) as error:
        sys.exit(str(error))
