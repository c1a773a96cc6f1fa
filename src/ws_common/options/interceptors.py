"""Interceptors, which process the messages that are sent and received.

They form a chain. In both directions the first interceptor in the list is nearest to
the application, and the last one nearest to the wire. A chain in which every handler is
synchronous needs no await.
"""

from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import partial
from typing import Any, cast

Next = Callable[[Any], Any]
Handler = Callable[[Any, Next], Awaitable[None] | None]
Observer = Callable[[Any], Any]


class WSInterceptor:
    """Observes, changes, drops, delays or multiplies messages.

    Subclass it and override one method or both. A handler may call `next` once, several
    times or not at all, may call it later, and may ignore its result. Handlers may be
    functions or coroutine functions: the order of messages is kept in both cases.
    Interceptors may pass any object to each other, provided that the last one passes a
    message that can be sent.

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
            data: What `add()` was called with, or what the previous interceptor passed
                on.
            next: Passes a message to the next interceptor, nearer to the wire.

        `add()` raises the exception that this method raises, and whatever was not sent
        before is not sent. The same happens if something that the method awaits is
        cancelled. Cancelling `add()` cancels this method.

        One message is processed at a time, so that calling `add()` or `add_nowait()` of
        the same client in this method raises WSSendError, instead of waiting for
        itself. To send more, call `next` several times, or send from another task and
        do not wait for that task.
        """
        return next(data)  # type: ignore[no-any-return]

    def on_message(self, data: Any, next: Next) -> Awaitable[None] | None:
        """Handle one incoming message.

        Args:
            data: What arrived from the wire, or what the previous interceptor passed
                on.
            next: Passes a message to the next interceptor, nearer to the application.

        An exception is reported as an event, and the message is not delivered.
        """
        return next(data)  # type: ignore[no-any-return]

    @staticmethod
    def wrap(
        *, on_send: Observer | None = None, on_message: Observer | None = None
    ) -> "WSInterceptor":
        """Make an interceptor that only observes: messages pass through unchanged.

        Args:
            on_send: A function or coroutine function that is called with each outgoing
                message before it is passed on.
            on_message: The same for each incoming message.
        """
        return _Handlers(_observe(on_send), _observe(on_message))

    @staticmethod
    def handlers(
        *, on_send: Handler | None = None, on_message: Handler | None = None
    ) -> "WSInterceptor":
        """Make an interceptor from functions with the parameters (data, next).

        Args:
            on_send: Called like the method `on_send`.
            on_message: Called like the method `on_message`.
        """
        return _Handlers(on_send, on_message)


class _Handlers(WSInterceptor):
    # A method that is not given stays that of the base class, which calls `next`.
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

    # Not a coroutine function: only an observer that returns an awaitable costs a
    # coroutine, and a chain of plain functions runs without the event loop.
    def handler(data: Any, next: Next) -> Awaitable[None] | None:
        result = observer(data)
        if isinstance(result, Awaitable):
            return _observe_first(cast("Awaitable[object]", result), data, next)
        return next(data)  # type: ignore[no-any-return]

    return handler


async def _observe_first(observed: Awaitable[object], data: Any, next: Next) -> None:
    await observed
    result = next(data)  # None if the rest of the chain is synchronous
    if isinstance(result, Awaitable):
        await result


class _Completed:
    """An awaitable that completes at once, for `next` at the end of the chain."""

    def __await__(self) -> Generator[Any, None, None]:
        return
        yield


# An async handler writes `await next(data)`, so the end of the chain cannot return
# None. One object for all messages: comparing by identity tells a chain that is
# finished from one that has to be awaited.
DONE = _Completed()
"""The result of a chain that never waited."""


def build(handlers: Sequence[Handler], terminal: Next) -> Next:
    """Build a chain of handlers, and return a function that starts it.

    Args:
        handlers: The handlers, in the order in which they are called.
        terminal: Called at the end of the chain.
    """
    chain = terminal
    for handler in reversed(handlers):
        # `partial` and not a lambda, which would see the last values of the loop.
        chain = partial(_call, handler, chain)
    return chain


def _call(handler: Handler, next: Next, data: Any) -> Any:
    return handler(data, next)
