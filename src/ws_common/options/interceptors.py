"""Interceptors: an onion around what is sent and what is received.

The first in the list is nearest the application, the last nearest the wire, in
both directions. A chain in which every handler is synchronous costs no await.
"""

from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import partial
from typing import Any, cast

Next = Callable[[Any], Any]
Handler = Callable[[Any, Next], Awaitable[None] | None]
Observer = Callable[[Any], Any]


class WSInterceptor:
    """Sees, changes, drops, delays or multiplies messages.

    Subclass it and override one method or both. Call `next` once, many times or
    not at all; it may be called late, and its result may be ignored. Handlers may
    be sync or async: order is kept either way. Any object may travel between
    interceptors, so long as the last one hands the wire something sendable.

    Example:
        >>> import json
        >>> class Json(WSInterceptor):
        ...     def on_send(self, data, next):
        ...         return next(json.dumps(data))
        ...     def on_message(self, data, next):
        ...         return next(json.loads(data))
    """

    def on_send(self, data: Any, next: Next) -> Awaitable[None] | None:
        """Handle one outgoing message.

        Args:
            data: What `add()` was given, or the interceptor before handed on.
            next: Hands on to the interceptor nearer the wire.

        What it raises is raised by `add()`, and what is not sent yet is not sent. The
        same holds where something that it awaits is cancelled; cancelling `add()`
        cancels it too. One message is handled at a time, so `add()` and `add_nowait()`
        of the same client raise WSSendError in here: call `next` more than once, or
        send from another task, without waiting for that.
        """
        return next(data)  # type: ignore[no-any-return]

    def on_message(self, data: Any, next: Next) -> Awaitable[None] | None:
        """Handle one incoming message.

        Args:
            data: What came from the wire, or the interceptor before handed on.
            next: Hands on to the interceptor nearer the application.

        What it raises is reported as an event, and that message is not delivered.
        """
        return next(data)  # type: ignore[no-any-return]

    @staticmethod
    def wrap(
        *, on_send: Observer | None = None, on_message: Observer | None = None
    ) -> "WSInterceptor":
        """Observe only: `next` is called for you, with the same message.

        Args:
            on_send: Called with each outgoing message, before it goes on.
            on_message: Called with each incoming message, before it goes on.
        """
        return _Handlers(_observe(on_send), _observe(on_message))

    @staticmethod
    def handlers(
        *, on_send: Handler | None = None, on_message: Handler | None = None
    ) -> "WSInterceptor":
        """Make an interceptor of functions of (data, next).

        Args:
            on_send: As the method `on_send`.
            on_message: As the method `on_message`.
        """
        return _Handlers(on_send, on_message)


class _Handlers(WSInterceptor):
    def __init__(self, on_send: Handler | None, on_message: Handler | None) -> None:
        self._on_send = on_send or super().on_send
        self._on_message = on_message or super().on_message

    def on_send(self, data: Any, next: Next) -> Awaitable[None] | None:
        return self._on_send(data, next)

    def on_message(self, data: Any, next: Next) -> Awaitable[None] | None:
        return self._on_message(data, next)


def _observe(observer: Observer | None) -> Handler | None:
    if observer is None:
        return None

    def handler(data: Any, next: Next) -> Awaitable[None] | None:
        result = observer(data)
        if isinstance(result, Awaitable):
            return _observe_first(cast("Awaitable[object]", result), data, next)
        return next(data)  # type: ignore[no-any-return]

    return handler


async def _observe_first(observed: Awaitable[object], data: Any, next: Next) -> None:
    await observed
    result = next(data)
    if isinstance(result, Awaitable):
        await result


class _Completed:
    """An awaitable that is done: what `next` returns at the end of the chain."""

    def __await__(self) -> Generator[Any, None, None]:
        return
        yield


DONE = _Completed()
"""Tells a chain that never waited from one that has to be awaited."""


def build(handlers: Sequence[Handler], terminal: Next) -> Next:
    """Chain handlers, the first outermost, around what ends the chain."""
    chain = terminal
    for handler in reversed(handlers):
        chain = partial(_call, handler, chain)
    return chain


def _call(handler: Handler, next: Next, data: Any) -> Any:
    return handler(data, next)
