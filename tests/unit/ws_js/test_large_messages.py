"""Messages as large as the whole buffer of a subscriber, in a page.

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
"""The payload bytes that may wait for a subscriber in a page."""


async def soon(awaitable):
    """Wait for something that has to be there already."""
    return await asyncio.wait_for(awaitable, 5)


def large(kind):
    """Make one message of 65 MiB, and return it with the size that has to arrive."""
    if kind == "binary":
        return Buffer(bytes(BOUND + MIB)), BOUND + MIB
    return "x" * (BOUND + MIB), BOUND + MIB


@pytest.mark.parametrize("kind", ["binary", "text"])
async def test_an_idle_subscriber(js, kind):
    """An empty buffer accepts one message of any size."""
    message, size = large(kind)
    async with open_client(js, max_size=None) as (client, socket):
        subscriber = client.stream.subscribe()
        socket.play_message(message)
        assert size == len(await soon(anext(subscriber)))
        socket.play_message("and more")
        assert "and more" == await soon(anext(subscriber))


async def test_a_reader_that_waits(js):
    """So does a buffer with a waiting reader, which gets the message at once."""
    message, size = large("binary")
    async with open_client(js, max_size=None) as (client, socket):
        reading = asyncio.ensure_future(client.recv())
        await until_idle()
        socket.play_message(message)
        assert size == len(await soon(reading))


async def test_before_the_first_subscriber(js):
    """So does the buffer that is kept for the first subscriber."""
    message, size = large("binary")
    async with open_client(js, max_size=None) as (client, socket):
        socket.play_message(message)
        assert size == len(await soon(client.recv()))


async def test_before_the_connection_is_open(js):
    """So does the buffer for messages during `after_connect`."""
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
    """If the buffer holds something, a message above the bound ends the subscriber."""
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
    """The bound counts payload bytes, which are several for some characters."""
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
    """Messages that exactly fit are all delivered."""
    width = len(character.encode())
    text = character * (BOUND // 2 // width)
    async with open_client(js, max_size=None) as (client, socket):
        subscriber = client.stream.subscribe()
        for _ in range(2):
            socket.play_message(text)
        for _ in range(2):
            assert text == await soon(anext(subscriber))
