"""The opening handshake of one connection, from the request to the response.

The library gets the bytes of the response and not one more: what follows the response
in the same read are frames, which `FrameReader` reads.
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
"""How many bytes of each read are looked at again together with the next one.

The end of the response may be split between the two.
"""

_REFUSAL_1_0 = re.compile(rb"\AHTTP/1\.0 (?!101)")
"""The status line of a refusal by an HTTP/1.0 server.

The library accepts HTTP/1.1 alone, and would lose the status. But a 401 must be final,
and a Retry-After be respected, whatever the version. HTTP/1.0 cannot switch protocols,
so a 101 is left to the library, which rejects it.
"""


class OpeningHandshake:
    """The request of one connection, and the response of the server.

    Args:
        library: The library's protocol.
        request: The request to send.

    Attributes:
        response: The response, once `poll_result()` has returned True.
    """

    __slots__ = ("_done", "_library", "_request", "response")

    response: Response

    def __init__(self, library: ClientProtocol, request: Request) -> None:
        self._library = library
        self._request = request
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send_request(self) -> None:
        """Pass the request to the library, whose data is then to be sent."""
        self._library.send_request(self._request)

    def receive(self, data: bytes, overlap: int) -> int:
        """Pass the response to the library, and no byte of the frames behind it.

        Args:
            data: The last bytes of the previous read, and then those of this one.
            overlap: How many bytes of the previous read these are.

        Returns:
            The offset in `data` at which the frames begin.
        """
        if not overlap:  # the beginning of the response
            data = _REFUSAL_1_0.sub(b"HTTP/1.1 ", data, count=1)
        # The library would parse frames behind the response. FrameReader has to do it.
        end = data.find(_END_OF_RESPONSE)
        end = len(data) if end < 0 else end + len(_END_OF_RESPONSE)
        self._library.receive_data(data[overlap:end])
        # The library wants the body of a refusal as well, before it reports the status.
        if not self.poll_result() and end < len(data):
            self._library.receive_data(data[end:])
            return len(data)
        return end

    def poll_result(self) -> bool:
        """Return whether the handshake has succeeded or failed."""
        for event in self._library.events_received():
            self.response = cast("Response", event)
        failed = self._library.handshake_exc is not None
        if not failed and self._library.state is not OPEN:
            return False
        # The waiting coroutine may have been cancelled, and the future with it.
        if not self._done.done():
            self._done.set_result(None)
        return True

    async def wait(self) -> None:
        """Wait for the response.

        Cancelling it leaves the connection as it is.

        Raises:
            InvalidHandshake: The server refused, or its response is invalid.
        """
        await self._done
        if self._library.handshake_exc is not None:
            raise self._library.handshake_exc


def build_handshake(response: Response, peer: object) -> Handshake:
    """Return the facts of a response that has opened a connection.

    Args:
        response: The response.
        peer: The address of the other end of the socket.
    """
    headers = plain_headers(response.headers)
    return Handshake(
        status=response.status_code,
        headers=headers,
        extensions=headers.get("sec-websocket-extensions", ""),
        peer=peer,
    )
