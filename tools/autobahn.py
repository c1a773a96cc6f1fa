"""Install the Autobahn test suite, and run clients against its fuzzing server.

The suite is a program for Python 2.7, so it is installed into an environment of its own
in `.cache/autobahn`.
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
"""The last versions of virtualenv that can make an environment for Python 2.7."""

SLOW_CASES = ("9.*", "12.*", "13.*")
"""Large messages and bulk compression: 270 of the 517 cases, which take minutes."""

PASSING_RESULTS = frozenset({"OK", "NON-STRICT", "INFORMATIONAL"})
"""The results that the suite itself does not count as failures."""

CASE_TIMEOUT = 300.0
"""Seconds for one case. On a busy machine the largest cases take half a minute."""

Client = Callable[[str], Awaitable[None]]
Results = dict[str, str]


def ensure_suite() -> None:
    """Install the suite's program `wstest`, unless it is already installed.

    Raises:
        ToolError: Python 2.7 is missing, or the packages could not be installed.
    """
    # The key contains ROOT, because the scripts of an environment contain its absolute
    # path and stop working when the folder is moved or copied.
    stamp, key = CACHE / "stamp", f"{SUITE} {VIRTUALENV} {ROOT}"
    if is_fresh(stamp, key) and WSTEST.exists():
        return
    python27 = _find_python27()
    print_line("Setting up the Autobahn test suite in .cache/autobahn ...")
    shutil.rmtree(CACHE, ignore_errors=True)
    helper_env, pip = CACHE / "maker", ["-m", "pip", "install", "--quiet"]
    what = "set up the Autobahn test suite"
    # virtualenv is pinned to an old version for Python 2.7. It gets an environment of
    # its own, so that it cannot replace a newer virtualenv, which pre-commit depends
    # on.
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
    # pyenv puts a shim for python2.7 on PATH that fails unless the version is selected,
    # so each candidate is run once to see whether it works.
    for candidate in candidates:
        completed = subprocess.run([candidate, "-V"], capture_output=True, check=False)
        if completed.returncode == 0:
            return candidate
    raise ToolError(
        "The Autobahn test suite needs Python 2.7, which is not installed. "
        "Install it with `pyenv install 2.7.18`."
    )


async def echo(url: str) -> None:
    """Echo every message with our client until the connection ends."""
    # The suite sends malformed pings and messages of 16 MiB on purpose. A ping or a
    # limit of our own would interfere with what it observes.
    options = ws.WebSocketOptions.vm(heartbeat=None, max_size=None, proxy=None)
    client = ws.WebSocketClient(options)
    try:
        await client.connect(url)
        async for message in client:
            await client.add(message)
    except ws.WSNotConnectedError:
        pass  # the suite checks how the connection ended
    finally:
        await client.close()


async def echo_with_websockets(url: str) -> None:
    """Echo every message with bare `websockets`, for comparison."""
    settings = {"max_size": None, "ping_interval": None, "proxy": None}
    try:
        async with bare_connect(url, **settings) as connection:  # type: ignore[arg-type]
            async for message in connection:
                await connection.send(message)
    except ConnectionClosed:
        pass


@asynccontextmanager
async def fuzzing_server(folder: Path, skip: Sequence[str]) -> AsyncIterator[str]:
    """Run the fuzzing server in a subprocess.

    Args:
        folder: Where the server writes its reports and its log.
        skip: Patterns of the cases to leave out.

    Yields:
        The URL of the server.

    Raises:
        ToolError: The server did not start.
    """
    url, spec = _write_spec(folder, skip)
    with (folder / "wstest.log").open("wb") as log:
        # wstest also starts a web server, by default on port 8080, which may be in use.
        # `-u 0` disables it.
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
    # wstest cannot report which port it was given, so a free port is chosen here.
    # Another program could take it in between; then the server fails to start.
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
    # The server prints nothing once it listens, so connecting is tried until it works.
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
        raise ToolError("The fuzzing server did not start; see wstest.log.")


async def run_cases(
    url: str, agent: str, client: Client, folder: Path, *, show_progress: bool = False
) -> Results:
    """Run all cases of the fuzzing server against a client.

    Args:
        url: The URL of the fuzzing server.
        agent: The name of the client in the reports.
        client: Connects to a URL and echoes until the connection ends.
        folder: The folder in which the server writes its reports.
        show_progress: Whether to print a line after every 50 cases.

    Returns:
        The result of each case, by its number.

    Raises:
        ToolError: The report does not contain a result for every case.
        TimeoutError: A case took longer than `CASE_TIMEOUT`.
    """
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
        raise ToolError(
            f"{agent} has {len(results)} results, but {count} cases were run"
        )
    return results


def _pick_worse_result(behaviour: str, closing: str) -> str:
    """Combine the results of a case and of its closing handshake."""
    return (
        closing
        if behaviour in PASSING_RESULTS and closing not in PASSING_RESULTS
        else behaviour
    )


def parse_case(case: str) -> tuple[int, ...]:
    """Return a key that sorts case `10.1.1` after `9.8.6`."""
    return tuple(int(part) for part in case.split("."))


def select_failures(results: Results) -> dict[str, str]:
    """Return the failed cases in the order of their numbers."""
    failures = {
        name: result
        for name, result in results.items()
        if result not in PASSING_RESULTS
    }
    return dict(sorted(failures.items(), key=lambda item: parse_case(item[0])))
