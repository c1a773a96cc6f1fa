"""Ports that take connections and say nothing, or take none at all."""

import contextlib
import socket


@contextlib.contextmanager
def silent(host: str = "127.0.0.1", port: int = 0, *, full: bool = False):
    """A port that takes connections and says nothing; or, full, takes none."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((host, port))
        listener.listen(0 if full else 8)
        address = listener.getsockname()
        for _ in range(2 if full else 0):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(address)
        yield f"{host}:{address[1]}"
