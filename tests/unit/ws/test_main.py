"""The command line `python -m ws`."""

import pytest

import ws
from ws import __main__ as command_line


def test_help(capsys):
    """Without a command the help is printed, with a program to try."""
    assert 0 == command_line.main([])

    printed = capsys.readouterr().out
    assert "echo" in printed
    assert "ws.run(main())" in printed


def test_version(capsys):
    """`--version` prints the version."""
    with pytest.raises(SystemExit) as ended:
        command_line.main(["--version"])

    assert 0 == ended.value.code
    assert f"ws {ws.__version__}\n" == capsys.readouterr().out


@pytest.mark.parametrize("port", ["-1", "65536", "http", ""])
def test_invalid_port(capsys, port):
    """An invalid port ends the program with status 2 and an explanation."""
    with pytest.raises(SystemExit) as ended:
        command_line.main(["echo", f"--port={port}"])

    assert 2 == ended.value.code
    assert f"invalid port value: '{port}'" in capsys.readouterr().err


def test_no_server_in_a_browser(monkeypatch, capsys):
    """A browser cannot run a server, and the program says so."""
    monkeypatch.setattr(command_line, "PLATFORM", "js")

    assert 1 == command_line.main(["echo"])
    assert "a browser cannot run a server" in capsys.readouterr().err
