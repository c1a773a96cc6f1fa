"""The opening handshake of one connection, from the request to the response.

The library gets the response to its last byte and not further: what follows it in the
same read are frames.
"""

import asyncio
import re
from typing import cast

from websockets.client import ClientProtocol
from websockets.http11 import Request, Response
from websockets.protocol import OPEN

from ws_common.vocabulary.transport import Handshake
from ws_vm.failures import plain_headers

_END_OF_RESPONSE = b"\r\n\r\n"
MAX_OVERLAP = len(_END_OF_RESPONSE) - 1
"""Bytes that are read again, behind which the end of the response may follow."""

_REFUSAL_1_0 = re.compile(rb"\AHTTP/1\.0 (?!101)")
"""A refusal by a server that is older than WebSocket: its status means the same."""


class OpeningHandshake:
    """One request, and its response.

    Args:
        library: The library's protocol.
        request: What the opening handshake asks for.

    Attributes:
        response: What the server answered, once it is known.
    """

    __slots__ = ("_done", "_library", "_request", "response")

    response: Response

    def __init__(self, library: ClientProtocol, request: Request) -> None:
        self._library = library
        self._request = request
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send_request(self) -> None:
        """Have the library make the request."""
        self._library.send_request(self._request)

    def receive(self, data: bytes, overlap: int) -> int:
        """Give the library its response, and no byte of the frames behind it.

        Args:
            data: What was read, behind the last bytes before it.
            overlap: How many of these the library has already.

        Returns:
            Where the frames begin in `data`.
        """
        if not overlap:  # the library takes HTTP/1.1 alone, of refusals too
            data = _REFUSAL_1_0.sub(b"HTTP/1.1 ", data, count=1)
        end = data.find(_END_OF_RESPONSE)
        end = len(data) if end < 0 else end + len(_END_OF_RESPONSE)
        self._library.receive_data(data[overlap:end])
        if not self.poll_result() and end < len(data):  # the body of a refusal
            self._library.receive_data(data[end:])
            return len(data)
        return end

    def poll_result(self) -> bool:
        """See whether the library has come to a result."""
        for event in self._library.events_received():
            self.response = cast("Response", event)
        failed = self._library.handshake_exc is not None
        if not failed and self._library.state is not OPEN:
            return False
        if not self._done.done():
            self._done.set_result(None)
        return True

    async def wait(self) -> None:
        """Wait for the response.

        Raises:
            InvalidHandshake: The library's: it is not what was asked for.
        """
        await self._done
        if self._library.handshake_exc is not None:
            raise self._library.handshake_exc


def build_handshake(response: Response, peer: object) -> Handshake:
    """Return what the server answered.

    Args:
        response: The response that opened the connection.
        peer: The address of the other end of the socket.
    """
    headers = plain_headers(response.headers)
    return Handshake(
        status=response.status_code,
        headers=headers,
        extensions=headers.get("sec-websocket-extensions", ""),
        peer=peer,
    )
