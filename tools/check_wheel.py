"""Test the wheel as a user gets it: in an empty environment, `src/` out of reach."""

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
"""Seconds that `import ws` may cost on top of `import websockets.asyncio.client`."""

IMPORT_ROUNDS = 15

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
"""The processor's time, so that waiting for a busy machine does not count."""


def check_wheel() -> str:
    """Build the wheel and test it; returns what was found.

    Raises:
        ToolError: Something is not as it should be.
    """
    wheel = build_wheel()
    _check_contents(wheel)
    environment = BUILD / "wheel-venv"
    # Without pip in it, the environment holds nothing but what the wheel brings.
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
            f"The wheel should bring {EXPECTED_DISTRIBUTIONS}, and brought {installed}"
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
    missing = [name for name in PACKAGES if f"{name}/py.typed" not in files]
    if missing:
        raise ToolError(f"No py.typed in the wheel for {', '.join(missing)}")
    top_level = {name.partition("/")[0] for name in files}
    unexpected = {top for top in top_level if not top.endswith(".dist-info")} - set(
        PACKAGES
    )
    if unexpected or not wheel.name.endswith("-py3-none-any.whl"):
        raise ToolError(f"{wheel.name} should hold our packages only, has {unexpected}")


def _parse_packages(listing: str) -> dict[str, str]:
    return {item["name"]: item["version"] for item in json.loads(listing)}


def _run_isolated(python: Path, program: str, cwd: Path) -> str:
    # -I: neither the folder nor PYTHONPATH can bring back src/.
    command = [str(python), "-I", "-W", "error", "-c", program]
    return run(command, cwd=cwd, what="use the installed wheel", timeout=60)


def _check_import_time(python: Path, cwd: Path) -> str:
    # A busy machine can spoil one comparison, not three.
    for _ in range(3):
        ours, theirs = _import_times(python, cwd)
        if ours <= theirs + IMPORT_ALLOWANCE:
            break
    line = (
        f"import time, median of {IMPORT_ROUNDS}: ws {ours * 1000:.1f} ms, "
        f"websockets.asyncio.client {theirs * 1000:.1f} ms"
    )
    if ours > theirs + IMPORT_ALLOWANCE:
        raise ToolError(f"{line}: more than {IMPORT_ALLOWANCE * 1000:.0f} ms apart")
    return line


def _import_times(python: Path, cwd: Path) -> tuple[float, float]:
    samples: dict[str, list[float]] = {"ws": [], "websockets.asyncio.client": []}
    # Taken in turn, so that whatever else the machine does hits both alike.
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
