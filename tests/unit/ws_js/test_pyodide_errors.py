"""What the constructor of `WebSocket` throws, in a fake JavaScript."""

import pytest
from pyodide.ffi import JsException

from ws_common.vocabulary.errors import (
    WSHandshakeError,
    WSInvalidUrlError,
    WSUnsupportedError,
)

URL = "wss://example.org/chat?token=s3cr3t"


@pytest.mark.parametrize(
    ("name", "url", "error", "words"),
    [
        ("SyntaxError", URL, WSInvalidUrlError, "does not take the URL"),
        (
            "SecurityError",
            "ws://example.org/",
            WSHandshakeError,
            "may open wss:// only",
        ),
        ("SecurityError", URL, WSHandshakeError, "security policy.*blocked by CSP"),
        (
            "NS_ERROR_CONTENT_BLOCKED",
            URL,
            WSHandshakeError,
            "security policy.*blocked by CSP",
        ),
        ("TypeError", URL, WSUnsupportedError, "TypeError: blocked by CSP"),
    ],
)
async def test_constructor_raises(js, begin, *, name, url, error, words):
    """An exception of the constructor becomes an error without secrets."""
    js.as_page("https://page.example")
    js.refuse = JsException(name, "blocked by CSP")
    with pytest.raises(error, match=words) as caught:
        await (await begin(url))
    assert caught.value.__cause__ is js.refuse
    assert "s3cr3t" not in str(caught.value)
    if error is WSHandshakeError:
        assert caught.value.permanent


QUOTED = """\
A value of type object with tag [object DOMException] was thrown as an error!
String interpolation of the thrown value gives \"""{0}\""".
The thrown value's toString method returns \"""{0}\"""."""


@pytest.mark.parametrize(
    ("thrown", "error", "words"),
    [
        ("SyntaxError: no URL", WSInvalidUrlError, "does not take the URL"),
        ("SecurityError: no", WSHandshakeError, r"security policy forbids it \(no\)$"),
        ("OtherError: no", WSUnsupportedError, "OtherError: no$"),
        ("no more", WSUnsupportedError, "Error: A value of type"),
    ],
)
async def test_what_pyodide_quotes_is_told_by_its_name(
    js, begin, *, thrown, error, words
):
    """A `DOMException` of WebKit has no stack, so that Pyodide quotes it."""
    js.refuse = JsException("Error", QUOTED.format(thrown))
    with pytest.raises(error, match=words):
        await (await begin())


async def test_a_policy_of_an_insecure_page(js, begin):
    """The policy may forbid `ws:` too, which an insecure page may open otherwise."""
    js.as_page("http://page.example")
    js.refuse = JsException("SecurityError", "")
    with pytest.raises(WSHandshakeError, match=r"security policy forbids it$"):
        await (await begin("ws://example.org/"))
