"""Messages as large as a subscriber's whole buffer, in a page that cannot pause.

The page's JavaScript is played. A buffer holds 64 MiB there, and what is above that
ends its subscriber; but what `max_size` allows must be receivable at all.
"""

import asyncio
import math

import pytest

import ws
from tests.support.idle import until_idle
from tests.unit.fake_js import Buffer
from tests.unit.fake_page import URL, client_in, end, next_socket, open_client

MIB = 2**20
BOUND = 64 * MIB
"""Payload bytes that wait for a subscriber in a page."""


async def soon(awaitable):
    """What must be there by now."""
    return await asyncio.wait_for(awaitable, 5)


def large(kind):
    """One message of 65 MiB, and what of it has to arrive."""
    if kind == "binary":
        return Buffer(bytes(BOUND + MIB)), BOUND + MIB
    return "x" * (BOUND + MIB), BOUND + MIB


@pytest.mark.parametrize("kind", ["binary", "text"])
async def test_an_idle_subscriber(js, kind):
    """A buffer that is empty takes one message, whatever its size."""
    message, size = large(kind)
    async with open_client(js, max_size=None) as (client, socket):
        subscriber = client.stream.subscribe()
        socket.play_message(message)
        assert size == len(await soon(anext(subscriber)))
        socket.play_message("and more")
        assert "and more" == await soon(anext(subscriber))


async def test_a_reader_that_waits(js):
    """So does the one that somebody waits at: the message is read at once."""
    message, size = large("binary")
    async with open_client(js, max_size=None) as (client, socket):
        reading = asyncio.ensure_future(client.recv())
        await until_idle()
        socket.play_message(message)
        assert size == len(await soon(reading))


async def test_before_the_first_subscriber(js):
    """So does what is kept until somebody subscribes."""
    message, size = large("binary")
    async with open_client(js, max_size=None) as (client, socket):
        socket.play_message(message)
        assert size == len(await soon(client.recv()))


async def test_before_the_connection_is_open(js):
    """So does what comes while `after_connect` runs."""
    received = []

    async def after_connect(session):
        received.append(len(await session.recv()))

    client = client_in(js, max_size=None, after_connect=after_connect)
    message, size = large("binary")
    try:
        connecting = asyncio.ensure_future(client.connect(URL))
        socket = await next_socket(js)
        socket.play_open()
        socket.play_message(message)
        await soon(connecting)
        assert [size] == received
    finally:
        await end(client, js)


async def test_the_bound_holds(js):
    """With something in the buffer, what is above the bound ends the subscriber."""
    async with open_client(js, max_size=None) as (client, socket):
        subscriber = client.stream.subscribe()
        for _ in range(3):
            socket.play_message(Buffer(bytes(BOUND // 2)))
        for _ in range(2):
            assert BOUND // 2 == len(await soon(anext(subscriber)))
        with pytest.raises(ws.WSStreamOverflowError):
            await soon(anext(subscriber))


@pytest.mark.parametrize("character", ["é", "€", "😀"], ids=["two", "three", "four"])
async def test_text_counts_as_utf_8(js, character):
    """The bound is one of payload bytes: wide characters fill it sooner."""
    width = len(character.encode())
    text = character * math.ceil(BOUND / 2.5 / width)
    async with open_client(js, max_size=None) as (client, socket):
        subscriber = client.stream.subscribe()
        for _ in range(3):
            socket.play_message(text)
        for _ in range(2):
            assert text == await soon(anext(subscriber))
        with pytest.raises(ws.WSStreamOverflowError):
            await soon(anext(subscriber))


@pytest.mark.parametrize("character", ["é", "€", "😀"], ids=["two", "three", "four"])
async def test_text_that_just_fits(js, character):
    """And are all delivered where they fit."""
    width = len(character.encode())
    text = character * (BOUND // 2 // width)
    async with open_client(js, max_size=None) as (client, socket):
        subscriber = client.stream.subscribe()
        for _ in range(2):
            socket.play_message(text)
        for _ in range(2):
            assert text == await soon(anext(subscriber))
