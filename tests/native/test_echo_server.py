"""`python -m ws echo`: a first program works with it, and it ends cleanly."""

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys

import pytest

import ws
from ws.__main__ import main
from ws_vm.echo_server import serve_echo


@pytest.fixture
def echo_server():
    """An echo server in its own process."""
    command = [sys.executable, "-m", "ws", "echo", "--port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def url_of(process) -> str:
    words = process.stdout.readline().split()
    return next(word for word in words if word.startswith("ws://"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
async def test_a_conversation_and_its_end(echo_server, by):
    """Messages come back. After a signal clients get a 1001, and the status is 0."""
    url = url_of(echo_server)
    async with ws.connect(f"{url}/chat?token=s3cr3t") as client:
        await client.add("hello")
        await client.add(b"\x00\xff")
        assert [await client.recv(), await client.recv()] == ["hello", b"\x00\xff"]
        echo_server.send_signal(by)
        with pytest.raises(ws.WSConnectionClosedError) as caught:
            await client.recv()
    assert caught.value.close_code == 1001
    rest, _ = await asyncio.to_thread(echo_server.communicate, timeout=10)
    assert echo_server.returncode == 0
    assert "connected to /chat\n" in rest
    assert "after 2 messages" in rest
    assert "s3cr3t" not in rest
    assert "Traceback" not in rest


async def test_lines_for_a_person():
    """It prints its URL, each client that connects, and how the client left."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    server = asyncio.ensure_future(serve_echo("127.0.0.1", 0, lines.put_nowait))
    try:
        url = next(word for word in (await lines.get()).split() if "://" in word)
        async with ws.connect(url) as client:
            await client.add("x" * 2**21)  # above the library's limit
            assert await client.recv() == "x" * 2**21
        assert (await lines.get()).endswith(" connected to /")
        assert (await lines.get()).endswith(" ended with 1000 after 1 messages")
    finally:
        server.cancel()
        await server


def test_a_port_that_is_taken(capsys):
    """One line names the port and the reason; there is no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["echo", "--port", str(port)]) == 1
    why = os.strerror(errno.EADDRINUSE)
    expected = f"ws: cannot listen on 127.0.0.1 port {port}: {why}\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize("port", ["x", "-1", "65536"])
def test_a_port_that_is_none(port, capsys):
    """The message quotes the invalid port."""
    with pytest.raises(SystemExit) as caught:
        main(["echo", "--port", port])
    assert caught.value.code == 2
    assert f"invalid port value: '{port}'" in capsys.readouterr().err


def test_without_a_command(capsys):
    """It lists the commands."""
    assert main([]) == 0
    said = capsys.readouterr().out
    assert "echo" in said
    assert "ws.connect" in said


def test_version(capsys):
    """It prints the installed version."""
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"ws {ws.__version__}\n"
