"""Chains of interceptors by themselves, without a client."""

import asyncio
from collections.abc import Awaitable

import pytest

from ws_common.options.interceptors import DONE, WSInterceptor, build


def make_chain(*interceptors, seen):
    """Return a chain for sending that ends in the list `seen`."""

    def end(data):
        seen.append(data)
        return DONE

    return build([one.on_send for one in interceptors], end)


class Suffix(WSInterceptor):
    """Appends a character to every message."""

    def __init__(self, character: str) -> None:
        self.character = character

    def on_send(self, data, next):
        return next(data + self.character)


class Slow(WSInterceptor):
    """Waits before it passes a message on."""

    async def on_send(self, data, next):
        await asyncio.sleep(0)
        await next(data + "~")


def test_no_interceptors():
    """A chain of none is its end."""
    seen = []

    assert make_chain(seen=seen)("a") is DONE
    assert seen == ["a"]


def test_order():
    """The first interceptor is called first."""
    seen = []

    assert make_chain(Suffix("1"), Suffix("2"), seen=seen)("a") is DONE
    assert seen == ["a12"]


async def test_a_chain_that_waits():
    """A chain with an asynchronous handler returns an awaitable."""
    seen = []

    result = make_chain(Suffix("1"), Slow(), Suffix("2"), seen=seen)("a")

    assert result is not DONE
    assert seen == []
    assert isinstance(result, Awaitable)
    await result
    assert seen == ["a1~2"]


def test_the_base_class_changes_nothing():
    """An interceptor that overrides nothing passes messages on."""
    seen = []
    interceptor = WSInterceptor()

    interceptor.on_send("out", seen.append)
    interceptor.on_message("in", seen.append)

    assert seen == ["out", "in"]


def test_handlers():
    """Functions become methods; one that is not given passes messages on."""
    seen = []

    def shout(data, next):
        return next(data.upper())

    interceptor = WSInterceptor.handlers(on_send=shout)

    interceptor.on_send("out", seen.append)
    interceptor.on_message("in", seen.append)

    assert seen == ["OUT", "in"]


def test_an_observer():
    """An observer is called before the message is passed on; its result is ignored."""
    seen = []

    def observe(data):
        seen.append(f"observed {data}")
        return "ignored"

    WSInterceptor.wrap(on_message=observe).on_message("a", seen.append)

    assert seen == ["observed a", "a"]


async def test_an_asynchronous_observer():
    """An asynchronous observer is awaited before the message is passed on."""
    seen = []

    async def observe(data):
        await asyncio.sleep(0)
        seen.append(f"observed {data}")

    waiting = WSInterceptor.wrap(on_send=observe).on_send("a", seen.append)

    assert seen == []
    assert waiting is not None
    await waiting
    assert seen == ["observed a", "a"]


def test_an_observer_that_raises():
    """If the observer raises, the message is not passed on."""

    def observe(data):
        raise ValueError(data)

    with pytest.raises(ValueError, match="a"):
        WSInterceptor.wrap(on_send=observe).on_send("a", pytest.fail)
