"""`diagnose`: what HTTP tells of a failed handshake, played by a fake `js`."""

import asyncio
import contextlib
from datetime import UTC, datetime
from random import Random

import pytest

from tests.support.recording_sink import Recording
from ws_common.lifecycle.retry import FailureStreak, Retry, Stop, decide_retry
from ws_common.options.backoff import ConnectionRetryInterval
from ws_common.options.options import ConnectRequest, WebSocketOptions
from ws_common.vocabulary.errors import WSHandshakeError
from ws_js.connector import BrowserConnector

HERE, ELSEWHERE = "https://example.org", "https://page.example"
URL = "wss://example.org/chat?token=s3cr3t"
ASKED = "https://example.org/chat?token=s3cr3t"


@pytest.fixture
async def refused(js):
    """Begins an attempt that the browser ends without a word."""
    tasks = []

    async def begin(url=URL, **given):
        options = WebSocketOptions.js(**{"diagnose": True, **given})
        request = ConnectRequest(url=url, headers={}, options=options)
        connector = BrowserConnector(options, js.bridge)
        task = asyncio.ensure_future(connector(request, Recording()))
        tasks.append(task)
        await turn()
        js.sockets[-1].play_error()
        await turn()
        return task

    yield begin
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, WSHandshakeError):
            await task


async def turn():
    for _ in range(3):
        await asyncio.sleep(0)


async def failure(task):
    """The error of an attempt; its words hold no secrets."""
    with pytest.raises(WSHandshakeError) as caught:
        await task
    assert "s3cr3t" not in str(caught.value)
    return caught.value


def decision(error, *, streak=FailureStreak()):  # noqa: B008 - immutable
    """What is decided about the first failure."""
    return decide_retry(
        error,
        streak,
        ConnectionRetryInterval(),
        Random(1),
        pytest.fail,
        stable=False,
        connected_before=False,
        elapsed=0.0,
        now=datetime.now(UTC),
        provided=False,
    )


def told(request):
    """What `fetch` was told."""
    return {name: getattr(request.init, name) for name in vars(request.init)}


async def test_what_is_asked(js, refused):
    """The same URL, past all caches: without cookies, then with a handshake's."""
    js.as_page(HERE)
    task = await refused()
    js.requests[0].respond(503, "basic")
    await turn()
    js.requests[1].respond(500, "basic")
    assert 500 == (await failure(task)).status
    for request, credentials in zip(js.requests, ("omit", "include"), strict=True):
        init = told(request)
        assert ASKED == request.url
        assert init.pop("signal") is not None
        assert request.aborted  # nobody reads the body
        assert init == {
            "method": "GET",
            "mode": "cors",
            "redirect": "manual",
            "credentials": credentials,
            "cache": "no-store",
        }


async def test_what_is_asked_without_a_page(js, refused):
    """There are no cookies then."""
    task = await refused()
    js.requests[0].respond(503)
    assert 503 == (await failure(task)).status
    assert ["omit"] == [request.init.credentials for request in js.requests]


async def test_a_challenge(js, refused):
    """Asked with cookies, a browser would bring up a login dialog: it is not."""
    js.as_page(ELSEWHERE)
    task = await refused()
    js.requests[0].respond(401, www_authenticate='Basic realm="here"')
    error = await failure(task)
    assert (error.status, error.status_is_inferred) == (401, False)
    assert len(js.requests) == 1
    assert isinstance(decision(error), Stop)


async def test_a_challenge_that_may_be_hidden(js, refused):
    """Another server need not show it. The handshake, with cookies, may fare better."""
    js.as_page(ELSEWHERE)
    task = await refused()
    js.requests[0].respond(401)
    error = await failure(task)
    assert (error.status, error.status_is_inferred) == (401, True)
    assert len(js.requests) == 1
    assert isinstance(decision(error), Retry)


@pytest.mark.parametrize(
    ("kind", "headers"),
    [("basic", {}), ("cors", {"access_control_expose_headers": "*, Retry-After"})],
)
async def test_no_challenge(js, refused, kind, headers):
    """Where all headers are seen and there is none, it is asked with cookies."""
    js.as_page(ELSEWHERE)
    task = await refused()
    js.requests[0].respond(401, kind, **headers)
    await turn()
    js.requests[1].respond(503, kind)
    error = await failure(task)
    assert (error.status, error.status_is_inferred) == (503, False)


async def test_credentials_that_are_not_allowed(js, refused):
    """Then the answer without them is all that there is, and it may be another."""
    js.as_page(ELSEWHERE)
    task = await refused()
    js.requests[0].respond(403)
    await turn()
    js.requests[1].fail()
    error = await failure(task)
    assert (error.status, error.status_is_inferred) == (403, True)


async def test_off_by_default(js, refused):
    """Nothing is asked that was not asked for."""
    error = await failure(await refused(diagnose=False))
    assert js.requests == []
    assert "a browser tells a page no more" in str(error)


@pytest.mark.parametrize("status", [401, 403, 410, 429, 451, 500, 502, 503])
async def test_refusals(js, refused, status):
    """They are the handshake's, and decided about as natively."""
    task = await refused()
    js.requests[0].respond(status)
    error = await failure(task)
    assert (error.status, error.status_is_inferred) == (status, False)
    assert f"the server answers {status}" in str(error)
    same = WSHandshakeError("natively", status=status)
    assert type(decision(error)) is type(decision(same))


async def test_a_proxy_that_wants_a_password(js, refused):
    """Chromium hides its 407, as the standard says; Firefox and WebKit tell it."""
    task = await refused()
    js.requests[0].respond(407)
    error = await failure(task)
    assert error.status is None
    assert "a proxy" in str(error)
    assert isinstance(decision(error), Retry)


async def test_headers(js, refused):
    """Those that the page may see; Retry-After counts."""
    task = await refused()
    js.requests[0].respond(503, retry_after="7", server="x")
    error = await failure(task)
    assert error.retry_after == 7
    assert error.headers == {"retry-after": "7", "server": "x"}
    assert decision(error).delay >= 7


@pytest.mark.parametrize("status", [200, 204, 400, 405, 426, 501])
async def test_what_endpoints_say_to_plain_requests(js, refused, status):
    """It is not taken for the handshake's, and a retry follows."""
    task = await refused(protocols=["a"])
    js.requests[0].respond(status)
    error = await failure(task)
    assert error.status is None
    assert f"answers {status}, as a WebSocket endpoint may" in str(error)
    assert "subprotocols" in str(error)
    assert isinstance(decision(error), Retry)


async def test_not_found_is_inferred(js, refused):
    """Many frameworks say so of their WebSocket endpoints: final the third time."""
    task = await refused()
    js.requests[0].respond(404)
    error = await failure(task)
    assert (error.status, error.status_is_inferred) == (404, True)
    first = decision(error)
    second = decision(error, streak=first.streak)
    assert isinstance(first, Retry)
    assert isinstance(second, Retry)
    assert isinstance(decision(error, streak=second.streak), Stop)


@pytest.mark.parametrize(("status", "kind"), [(0, "opaqueredirect"), (302, "basic")])
async def test_redirects(js, refused, status, kind):
    """Browsers hide where to, Node does not; neither follows one in a handshake."""
    task = await refused()
    js.requests[0].respond(status, kind)
    error = await failure(task)
    assert error.status is None
    assert "redirects, which a browser does not follow" in str(error)


async def test_cross_origin_rules(js, refused):
    """What they hide is said, and that there is a server."""
    js.as_page(ELSEWHERE)
    task = await refused()
    js.requests[0].fail()
    await turn()
    second = js.requests[1].init
    assert (second.mode, second.redirect) == ("no-cors", "follow")
    assert second.credentials == "omit"
    js.requests[1].respond(0, "opaque")
    error = await failure(task)
    assert error.status is None
    assert "Access-Control-Allow-Origin" in str(error)


@pytest.mark.parametrize("origin", [HERE, ELSEWHERE, None])
async def test_no_answer(js, refused, origin):
    """Within the page's origin no rule can be the reason: it is asked once."""
    if origin is not None:
        js.as_page(origin)
    task = await refused()
    js.requests[0].fail()
    if origin == ELSEWHERE:
        await turn()
        js.requests[1].fail()
    error = await failure(task)
    assert error.status is None
    assert "it gives no answer either" in str(error)
    assert len(js.requests) == (2 if origin == ELSEWHERE else 1)


async def test_in_time(js, refused):
    """It ends well before the attempt's timeout, whose error would hide its own."""
    task = await refused(timeout=0.05)
    error = await failure(task)
    assert "no answer within 0.0 s" in str(error)
    assert js.requests[0].aborted


async def test_without_a_timeout(js, refused):
    """There is a limit all the same."""
    task = await refused(timeout=None)
    js.requests[0].respond(403)
    assert (await failure(task)).status == 403


async def test_cancelling(js, refused):
    """It ends the request."""
    task = await refused()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert js.requests[0].aborted


async def test_passwords(js, refused):
    """`fetch` takes no URL that holds one; without it the answer would be another."""
    task = await refused("wss://joe:secret@example.org/")
    error = await failure(task)
    assert js.requests == []
    assert "secret" not in str(error)
    assert "password" in str(error)


async def test_what_the_runtime_says_is_kept(js):
    """Node tells something itself."""
    options = WebSocketOptions.js(diagnose=True)
    request = ConnectRequest(url=URL, headers={}, options=options)
    task = asyncio.ensure_future(
        BrowserConnector(options, js.bridge)(request, Recording())
    )
    await turn()
    js.sockets[0].play_error(message="non-101 status code")
    await turn()
    js.requests[0].respond(401)
    error = await failure(task)
    assert "non-101 status code; asked over HTTP" in str(error)


async def test_mixed_content_without_an_exception(js, refused):
    """WebKit makes the socket and lets it fail: told in plain words, and permanent."""
    js.as_page(HERE)
    error = await failure(await refused("ws://example.org/"))
    assert error.permanent
    assert "may open wss:// only" in str(error)
    assert js.requests == []
    assert isinstance(decision(error), Stop)
