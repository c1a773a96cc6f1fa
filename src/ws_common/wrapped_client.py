"""The adapter that makes a `Connector` and a `Transport` of a custom client."""

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
    """Opens connections through an `IWebSocketClient`.

    Args:
        client: The custom client.
    """

    def __init__(self, client: IWebSocketClient) -> None:
        self._client = client
        self._last: AdapterTransport | None = None

    async def __call__(self, request: ConnectRequest, sink: TransportSink) -> Transport:
        """Connect the client.

        Cancelling this disconnects the client in the background.

        Args:
            request: What to connect to. Only the URL is used.
            sink: Gets the messages and the end of the connection.
        """
        if self._last is not None:
            # The client has one connection at a time. A new one is opened when the last
            # has gone, even where the wrapper let that close in the background.
            await self._last.wait_closed()
        # The transport comes first: it subscribes to the messages, and those that
        # arrive before connect() has returned would be lost otherwise.
        transport = self._last = AdapterTransport(self._client, sink)
        try:
            await self._client.connect(request.url)
        except BaseException:
            transport.abort()
            raise
        return transport


class AdapterTransport:
    """One connection of an `IWebSocketClient`.

    Args:
        client: The custom client.
        sink: Gets the messages and the end of the connection.

    Attributes:
        handshake: Empty: a custom client reports nothing about it.
        buffered_amount: Bytes that wait for `add()` of the custom client.
        last_activity: The loop time of the last message, in seconds.
        can_pause: True: while paused the stream is not read.
    """

    def __init__(self, client: IWebSocketClient, sink: TransportSink) -> None:
        self._client = client
        self._sink: TransportSink | None = sink
        # A client may have `add_nowait()` besides `add()`, which sends in the call
        # itself. It saves a task switch per message; `ws.testing` uses it.
        self._add_nowait: Callable[[Data], object] | None = getattr(
            client, "add_nowait", None
        )
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Data] = asyncio.Queue()
        self.handshake = Handshake()
        self.buffered_amount = 0
        self.last_activity = self._loop.time()
        self.can_pause = True
        self._reading = asyncio.Event()
        self._reading.set()
        self._received = 0
        self._closing_task: asyncio.Task[None] | None = None
        self._closed_locally = False
        # Subscribed here, before connect() is called, so that nothing is missed.
        # `aiter` is called now and not in the tasks, which begin a turn of the loop
        # later.
        messages, states = aiter(client.stream), aiter(client.state_changes)
        self._tasks = [
            spawn(self._read(messages), "ws adapter read"),
            spawn(self._follow_states(states), "ws adapter states"),
            spawn(self._write(), "ws adapter write"),
        ]

    @property
    def protocol(self) -> str | None:
        """The subprotocol, if the state of the custom client has one."""
        return getattr(self._client.state, "protocol", None)

    def send(self, data: Data, *, text: bool) -> None:
        """Hand one message to the custom client, or queue it for its `add()`.

        Args:
            data: The message.
            text: Whether it is a text message.

        Raises:
            WSConnectionClosedError: The custom client is no longer connected.
            Exception: Anything else that it raises concerns this message alone.
        """
        if self._sink is None or not self._client.state.is_open:
            raise WSConnectionClosedError
        if text:
            data = data if isinstance(data, str) else data.decode()
        elif isinstance(data, str):
            data = data.encode()
        # Only while nothing is queued, or this message would overtake the queue.
        if self._add_nowait is not None and not self.buffered_amount:
            self._add_nowait(data)
        else:
            self.buffered_amount += size_of(data)
            self._queue.put_nowait(data)

    def pause_reading(self) -> None:
        """Stop reading messages from the stream."""
        self._reading.clear()

    def resume_reading(self) -> None:
        """Read messages again."""
        self._reading.set()

    def ping(self) -> Awaitable[float] | None:
        """Return None: custom clients have no pings."""
        return None

    def close(self, code: int | None, reason: str | None) -> None:
        """Disconnect the custom client, when it has taken what is queued."""
        self._closing_task = spawn(self._disconnect(code, reason), "ws adapter close")
        self._tasks.append(self._closing_task)

    def abort(self) -> None:
        """Drop everything, and disconnect the custom client in the background."""
        self._stop()
        if not self._client.state.is_closed:
            self._closing_task = spawn(
                self._client.disconnect(), "ws adapter disconnect"
            )

    async def wait_closed(self) -> None:
        """Wait until the custom client may connect again."""
        if self._closing_task is not None:
            await asyncio.wait({self._closing_task})

    async def _read(self, messages: AsyncIterator[Data]) -> None:
        async for message in messages:
            # Counted before the pause: `_wait_for_messages` waits for this one as well.
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
        """Wait until the messages that came before a change of state are delivered."""
        # Messages and states come by two streams, and nothing but turns of the loop
        # tells their order: if no message has come in a turn, none was left. A sleep
        # would be too long for some clients and too short for others.
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
            # The size is subtracted when `add()` has returned, so that `write_limit`
            # holds back a program that sends faster than the custom client takes.
            self._queue.task_done()
            self.buffered_amount -= size_of(data)
            if self.buffered_amount == 0 and self._sink is not None:
                self._sink.on_writable()
        # What is left is never sent. It is taken out of the queue all the same, or the
        # `join()` of a closing that has begun would wait for ever.
        self._queue.task_done()
        while not self._queue.empty():
            self._queue.get_nowait()
            self._queue.task_done()

    async def _disconnect(self, code: int | None, reason: str | None) -> None:
        await self._queue.join()  # messages that were sent before close() go first
        if self._client.state.is_open:
            self._closed_locally = True
            await self._client.disconnect(code, reason)

    def _on_send_error(self, error: Exception) -> None:
        """End the connection: the custom client did not take a message."""
        # Going on would lose this message in the middle of others. Where the connection
        # has ended already, the error is a consequence of that end and not its cause.
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
        # RFC 6455, section 7.1.5: without a Close frame from the peer the code is 1006.
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
        # One of the tasks may be the caller: `_follow_states` and `_write` end here.
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
