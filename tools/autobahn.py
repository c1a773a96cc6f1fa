"""The Autobahn test suite: have it, and run its fuzzing server against clients.

It is a program for Python 2.7, so it lives in an environment of its own in the cache.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from websockets.asyncio.client import connect as bare_connect
from websockets.exceptions import ConnectionClosed

import ws
from tools.common import ROOT, ToolError, is_fresh, print_line, run, write_stamp

CACHE = ROOT / ".cache" / "autobahn"
WSTEST = CACHE / "env" / "bin" / "wstest"

SUITE = "autobahntestsuite==0.8.2"
VIRTUALENV = "virtualenv<20.22"
"""The last that make an environment for Python 2.7."""

SLOW_CASES = ("9.*", "12.*", "13.*")
"""Large messages and compression in bulk: 270 cases of 517, and minutes of time."""

PASSING_RESULTS = frozenset({"OK", "NON-STRICT", "INFORMATIONAL"})
"""Results that the suite itself does not count as failures."""

CASE_TIMEOUT = 300.0
"""Seconds for one case; on a busy machine the largest take half a minute."""

Client = Callable[[str], Awaitable[None]]
Results = dict[str, str]


def ensure_suite() -> None:
    """Have `wstest`; returns at once where it is.

    Raises:
        ToolError: There is no Python 2.7, or the packages could not be had.
    """
    stamp, key = CACHE / "stamp", f"{SUITE} {VIRTUALENV} {ROOT}"
    if is_fresh(stamp, key) and WSTEST.exists():
        return
    python27 = _find_python27()
    print_line("Setting up the Autobahn test suite in .cache/autobahn ...")
    shutil.rmtree(CACHE, ignore_errors=True)
    helper_env, pip = CACHE / "maker", ["-m", "pip", "install", "--quiet"]
    what = "set up the Autobahn test suite"
    run([sys.executable, "-m", "venv", helper_env], what=what)
    run([helper_env / "bin" / "python", *pip, VIRTUALENV], what=what)
    virtualenv = [str(helper_env / "bin" / "python"), "-m", "virtualenv", "--quiet"]
    run([*virtualenv, "-p", python27, CACHE / "env"], what=what)
    run([CACHE / "env" / "bin" / "python", *pip, SUITE], what=what)
    write_stamp(stamp, key)


def _find_python27() -> Path:
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [*sorted(versions.glob("2.7*/bin/python2.7"), reverse=True)]
    if path := shutil.which("python2.7"):
        candidates.append(Path(path))
    for candidate in candidates:
        completed = subprocess.run([candidate, "-V"], capture_output=True, check=False)
        if completed.returncode == 0:
            return candidate
    raise ToolError(
        "The Autobahn test suite needs Python 2.7, and there is none: "
        "`pyenv install 2.7.18` brings it."
    )


async def echo(url: str) -> None:
    """Our client, as the suite wants it: echoes until the connection ends."""
    options = ws.WebSocketOptions.vm(heartbeat=None, max_size=None, proxy=None)
    client = ws.WebSocketClient(options)
    try:
        await client.connect(url)
        async for message in client:
            await client.add(message)
    except ws.WSNotConnectedError:
        pass  # how it ended is what the suite judges
    finally:
        await client.close()


async def echo_with_websockets(url: str) -> None:
    """The same with the library alone."""
    settings = {"max_size": None, "ping_interval": None, "proxy": None}
    try:
        async with bare_connect(url, **settings) as connection:  # type: ignore[arg-type]
            async for message in connection:
                await connection.send(message)
    except ConnectionClosed:
        pass


@asynccontextmanager
async def fuzzing_server(folder: Path, skip: Sequence[str]) -> AsyncIterator[str]:
    """Run the fuzzing server; gives its URL.

    Args:
        folder: For its reports and its log.
        skip: Patterns of cases to leave out.
    """
    url, spec = _write_spec(folder, skip)
    with (folder / "wstest.log").open("wb") as log:
        # Without a port for the web server that it has as well.
        command = [str(WSTEST), "-m", "fuzzingserver", "-s", str(spec), "-u", "0"]
        server = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
        try:
            await _until_ready(url, server)
            yield url
        finally:
            if server.returncode is None:
                server.terminate()
            await server.wait()


def _write_spec(folder: Path, skip: Sequence[str]) -> tuple[str, Path]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{probe.getsockname()[1]}"
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "url": url,
        "outdir": str(folder),
        "cases": ["*"],
        "exclude-cases": list(skip),
        "exclude-agent-cases": {},
    }
    spec = folder / "spec.json"
    spec.write_text(json.dumps(settings), encoding="utf-8")
    return url, spec


async def _until_ready(url: str, server: asyncio.subprocess.Process) -> None:
    # It says nothing when it listens: it has to be asked.
    retry = ws.ConnectionRetryInterval(min=0.05, max=0.1)
    options = ws.WebSocketOptions.vm(connection_retry_interval=retry, proxy=None)

    async def request_case_count() -> None:
        async with ws.connect(f"{url}/getCaseCount", options) as client:
            await client.recv()

    answer, exit_status = (
        asyncio.ensure_future(request_case_count()),
        asyncio.ensure_future(server.wait()),
    )
    tasks = {answer, exit_status}
    await asyncio.wait(tasks, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    answered = answer.done()
    for task in tasks:
        task.cancel()
    if not answered:
        raise ToolError("The fuzzing server does not listen; see its log.")


async def run_cases(
    url: str, agent: str, client: Client, folder: Path, *, show_progress: bool = False
) -> Results:
    """Run all cases against a client, and return the result of each."""
    options = ws.WebSocketOptions.vm(proxy=None)
    async with ws.connect(f"{url}/getCaseCount", options) as connection:
        count = int(await connection.recv())
    for case in range(1, count + 1):
        if show_progress and case % 50 == 0:
            print_line(f"  {agent}: {case} of {count}")
        async with asyncio.timeout(CASE_TIMEOUT):
            await client(f"{url}/runCase?case={case}&agent={agent}")
    await client(f"{url}/updateReports?agent={agent}")
    report = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    results = {
        case: _pick_worse_result(result["behavior"], result["behaviorClose"])
        for case, result in report[agent].items()
    }
    if len(results) != count:
        raise ToolError(f"{len(results)} results about {agent} for {count} cases")
    return results


def _pick_worse_result(behaviour: str, closing: str) -> str:
    """The worse of how a case and how its closing went."""
    return (
        closing
        if behaviour in PASSING_RESULTS and closing not in PASSING_RESULTS
        else behaviour
    )


def parse_case(case: str) -> tuple[int, ...]:
    """Sorts `10.1.1` after `9.8.6`."""
    return tuple(int(part) for part in case.split("."))


def select_failures(results: Results) -> dict[str, str]:
    """The cases that failed, in order."""
    failures = {
        name: result
        for name, result in results.items()
        if result not in PASSING_RESULTS
    }
    return dict(sorted(failures.items(), key=lambda item: parse_case(item[0])))
