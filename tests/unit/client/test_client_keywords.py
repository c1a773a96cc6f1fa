"""Options as keywords, wherever a client is made."""

import pytest

import ws
from ws.testing import WebSocketClientFake

BASE = ws.WebSocketOptions(timeout=5, max_size=77)


def made_by_class(*options, **keywords):
    return ws.WebSocketClient(*options, **keywords)


def made_by_from_client(*options, **keywords):
    fake = WebSocketClientFake()
    return ws.WebSocketClient.from_client(fake, *options, **keywords)


@pytest.fixture(params=[made_by_class, made_by_from_client])
def make(request):
    return request.param


def test_keywords_alone(make):
    """The rest are the defaults."""
    options = make(timeout=3)._options
    assert options == ws.WebSocketOptions(timeout=3)


def test_an_object_and_keywords(make):
    """Keywords win."""
    options = make(BASE, timeout=3)._options
    assert (options.timeout, options.max_size) == (3.0, 77)
    assert BASE.timeout == 5.0


def test_an_object_alone_is_kept(make):
    """It is shared, and not copied for each client."""
    assert make(BASE)._options is BASE


def test_defaults_are_shared():
    """A client that is told nothing needs no options of its own."""
    assert made_by_class()._options is made_by_from_client()._options


@pytest.mark.parametrize(
    ("given", "interval"),
    [
        (True, ws.ConnectionRetryInterval()),
        (False, None),
        ((1, 2), ws.ConnectionRetryInterval(1, 2)),
        (ws.ConnectionRetryInterval(max_attempts=3),) * 2,
    ],
)
def test_reconnect(make, given, interval):
    """It is short for the Dart package's name, and overrides what was set before."""
    before = ws.WebSocketOptions(connection_retry_interval=(7, 8))
    assert make(before, reconnect=given)._options.connection_retry_interval == interval
    assert before.replace(reconnect=given).connection_retry_interval == interval


def test_both_names_at_once(make):
    """Nobody can tell which is meant."""
    with pytest.raises(TypeError, match="reconnect is short for"):
        make(reconnect=True, connection_retry_interval=None)


def test_a_mistyped_keyword(make):
    """The last line of the traceback says what to write."""
    with pytest.raises(TypeError, match=r"'reconect'.*did you mean 'reconnect'\?"):
        make(reconect=True)
    with pytest.raises(TypeError, match="reconnect must be True, False,"):
        make(reconnect="yes")


def test_a_keyword_of_the_other_platform(make, platform):
    """The message names what holds on both."""
    name = "diagnose" if platform.name == "vm" else "headers"
    with pytest.raises(ws.WSUnsupportedError, match=rf"{name} is for .*selector"):
        make(**{name: {}})


def test_options_that_are_none(make):
    """A dictionary, or a URL, is a mistake that many make."""
    with pytest.raises(TypeError, match="keywords, such as timeout=5"):
        make({"timeout": 5})
    with pytest.raises(TypeError) as caught:
        make({"Authorization": "s3cr3t"})
    assert "s3cr3t" not in str(caught.value)


def test_a_url_for_a_client():
    """The message says where a URL belongs."""
    with pytest.raises(TypeError, match=r"ws\.connect\(url\)"):
        ws.WebSocketClient("ws://anywhere/")


async def test_connect_and_start():
    """`ws.connect` and `WebSocketClient.start` take them too."""
    with pytest.raises(ValueError, match="timeout"):
        ws.connect("ws://anywhere/", timeout=-1)
    with pytest.raises(ValueError, match="timeout"):
        ws.WebSocketClient.start("ws://anywhere/", timeout=-1)


async def test_several_hooks():
    """Each is called, whatever the others do."""
    heard = []

    def broken(event: ws.ClientEvent) -> None:
        raise ZeroDivisionError

    fake = WebSocketClientFake()
    hooks = [
        lambda event: heard.append(event.name),
        broken,
        lambda _: heard.append("b"),
    ]
    async with ws.WebSocketClient.from_client(fake, on_event=hooks) as client:
        await client.connect("ws://anywhere/")
    assert heard[:2] == ["state_changed", "b"]
    assert heard.count("b") * 2 == len(heard)


def test_a_forgotten_await():
    """The message says where it belongs."""
    opening = ws.connect("ws://anywhere/")
    with pytest.raises(AttributeError, match=r"client = await ws\.connect"):
        opening.send  # noqa: B018 - what a program that forgot it would call
    assert not hasattr(opening, "no_such_thing")


def test_a_forgotten_async():
    """`with` and `for` name what has to be written."""
    with pytest.raises(TypeError, match="needs `async with`"), ws.connect("ws://x/"):
        pass
    client = ws.WebSocketClient()
    with pytest.raises(TypeError, match="closed with `async with`"), client:
        pass
    with pytest.raises(TypeError, match="with `async for`"):
        iter(client)
