"""Makes a `Connector` of a client that somebody else has written."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal

from ws_common.client_protocol import IWebSocketClient
from ws_common.lifecycle.states import (
    Closed,
    Disconnecting,
    WebSocketClientState,
)
from ws_common.options.options import ConnectRequest
from ws_common.vocabulary.errors import WSConnectionClosedError
from ws_common.vocabulary.messages import Data, size_of
from ws_common.vocabulary.tasks import spawn
from ws_common.vocabulary.transport import (
    CloseInfo,
    Handshake,
    Transport,
    TransportSink,
)


class AdapterConnector:
    """Opens connections through an `IWebSocketClient`."""

    def __init__(self, client: IWebSocketClient) -> None:
        self._client = client
        self._last: AdapterTransport | None = None

    async def __call__(self, request: ConnectRequest, sink: TransportSink) -> Transport:
        """Connect the client; what it receives goes to the sink."""
        if self._last is not None:
            await self._last.wait_closed()  # there is one connection at a time
        transport = self._last = AdapterTransport(self._client, sink)
        try:
            await self._client.connect(request.url)
        except BaseException:
            transport.abort()
            raise
        return transport


class AdapterTransport:
    """One connection of an `IWebSocketClient`.

    Attributes:
        handshake: See `Transport`.
        buffered_amount: Bytes that wait for the wrapped client's `add()`.
        last_activity: Loop time of the last message.
        can_pause: The stream is simply not read.
    """

    def __init__(self, client: IWebSocketClient, sink: TransportSink) -> None:
        self._client = client
        self._sink: TransportSink | None = sink
        # What a client may have besides `add()`: it sends in the very call.
        self._add_nowait: Callable[[Data], object] | None = getattr(
            client, "add_nowait", None
        )
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Data] = asyncio.Queue()
        self.handshake = Handshake()  # nothing is known of it
        self.buffered_amount = 0
        self.last_activity = self._loop.time()
        self.can_pause = True
        self._reading = asyncio.Event()
        self._reading.set()
        self._received = 0
        self._closing_task: asyncio.Task[None] | None = None
        self._closed_locally = False
        # Subscribed before connect(), so that nothing is missed.
        messages, states = aiter(client.stream), aiter(client.state_changes)
        self._tasks = [
            spawn(self._read(messages), "ws adapter read"),
            spawn(self._follow_states(states), "ws adapter states"),
            spawn(self._write(), "ws adapter write"),
        ]

    @property
    def protocol(self) -> str | None:
        """The subprotocol, where the wrapped client's state says it."""
        return getattr(self._client.state, "protocol", None)

    def send(self, data: Data, *, text: bool) -> None:
        """Hand one message to the wrapped client, or queue it for its `add()`.

        Raises:
            WSConnectionClosedError: The wrapped client is not connected any more.
            Exception: What else it raises is about this message alone.
        """
        if self._sink is None or not self._client.state.is_open:
            raise WSConnectionClosedError
        if text:
            data = data if isinstance(data, str) else data.decode()
        elif isinstance(data, str):
            data = data.encode()
        if self._add_nowait is not None and not self.buffered_amount:
            self._add_nowait(data)
        else:
            self.buffered_amount += size_of(data)
            self._queue.put_nowait(data)

    def pause_reading(self) -> None:
        """Stop taking messages from the stream."""
        self._reading.clear()

    def resume_reading(self) -> None:
        """Take messages again."""
        self._reading.set()

    def ping(self) -> Awaitable[float] | None:
        """There is none."""
        return None

    def close(self, code: int | None, reason: str | None) -> None:
        """Let the wrapped client disconnect."""
        self._closing_task = spawn(self._disconnect(code, reason), "ws adapter close")
        self._tasks.append(self._closing_task)

    def abort(self) -> None:
        """Drop everything; the wrapped client disconnects in the background."""
        self._stop()
        if not self._client.state.is_closed:
            self._closing_task = spawn(
                self._client.disconnect(), "ws adapter disconnect"
            )

    async def wait_closed(self) -> None:
        """Wait until the wrapped client may connect again."""
        if self._closing_task is not None:
            await asyncio.wait({self._closing_task})

    async def _read(self, messages: AsyncIterator[Data]) -> None:
        async for message in messages:
            self._received += 1
            await self._reading.wait()
            self.last_activity = self._loop.time()
            if self._sink is not None:
                self._sink.on_messages((message,), size_of(message))

    async def _follow_states(self, states: AsyncIterator[WebSocketClientState]) -> None:
        async for state in states:
            if isinstance(state, Disconnecting):
                await self._wait_for_messages()
                if self._sink is not None:
                    close = self._make_close_info(state.close_code, state.close_reason)
                    self._sink.on_closing(close)
            elif isinstance(state, Closed):
                await self._wait_for_messages()
                sink = self._sink
                self._stop()
                if sink is not None:
                    close = self._make_close_info(
                        state.close_code, state.close_reason, state.error
                    )
                    sink.on_closed(close)
                return

    async def _wait_for_messages(self) -> None:
        """Let the messages pass that came before a change of state.

        They come by another stream, so their order is known by turns of the loop
        alone: when none has come in a turn, none was left.
        """
        seen = -1
        while seen != self._received:
            seen = self._received
            await self._reading.wait()
            await asyncio.sleep(0)

    async def _write(self) -> None:
        while True:
            data = await self._queue.get()
            try:
                await self._client.add(data)
            except Exception as error:  # noqa: BLE001 - any client, any error
                self._on_send_error(error)
                break
            self._queue.task_done()
            self.buffered_amount -= size_of(data)
            if self.buffered_amount == 0 and self._sink is not None:
                self._sink.on_writable()
        self._queue.task_done()
        while not self._queue.empty():
            self._queue.get_nowait()
            self._queue.task_done()

    async def _disconnect(self, code: int | None, reason: str | None) -> None:
        await self._queue.join()  # what was sent before goes before
        if self._client.state.is_open:
            self._closed_locally = True
            await self._client.disconnect(code, reason)

    def _on_send_error(self, error: Exception) -> None:
        """A message was not taken: that ends it, unless it has ended anyhow."""
        sink = self._sink
        if sink is not None and self._client.state.is_open:
            self.abort()
            sink.on_closed(self._make_close_info(None, None, error))

    def _make_close_info(
        self,
        code: int | None,
        reason: str | None,
        error: BaseException | None = None,
    ) -> CloseInfo:
        clean = code is not None and code != 1006  # noqa: PLR2004 - abnormal closure
        initiator: Literal["local", "peer"] = (
            "local" if self._closed_locally else "peer"
        )
        return CloseInfo(
            code=1006 if code is None else code,
            reason=reason or "",
            was_clean=clean,
            initiator=initiator if clean else "network",
            error=error,
        )

    def _stop(self) -> None:
        self._sink = None
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
