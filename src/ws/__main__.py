"""`python -m ws`: the commands that need no additional package."""

import argparse
import sys
from collections.abc import Sequence

from ws import PLATFORM, __version__

_EPILOG = """\
With the echo server running, this program talks to it from another terminal:

    import ws

    async def main():
        async with ws.connect("ws://127.0.0.1:8765") as client:
            await client.add("hello")
            print(await client.recv())

    ws.run(main())
"""


def _parse_port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:  # noqa: PLR2004 - what TCP has
        raise ValueError
    return port


# argparse puts the name of the function into its message: "invalid port value".
_parse_port.__name__ = "port"


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ws",
        description="One WebSocket client for Python, everywhere Python runs.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ws {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command")
    summary = "run a server on this machine that sends back what it receives"
    echo = commands.add_parser(
        "echo", help=summary, description=f"{summary.capitalize()}."
    )
    echo.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    help_port = "default: %(default)s; 0 picks a free one"
    echo.add_argument("--port", type=_parse_port, default=8765, help=help_port)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, or print the help if none is given.

    Args:
        arguments: The arguments of the command line; by default those of the process.

    Returns:
        The exit status: 1 if the command failed.
    """
    parser = _make_parser()
    parsed = parser.parse_args(arguments)
    if parsed.command is None:
        parser.print_help()
        return 0
    if PLATFORM != "vm":
        sys.stderr.write("ws: a browser cannot run a server\n")
        return 1
    # Imported here: `ws_vm` cannot be imported in a browser.
    from ws_vm.echo_server import run  # noqa: PLC0415

    return run(parsed.host, parsed.port)


if __name__ == "__main__":
    sys.exit(main())
