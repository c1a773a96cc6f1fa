"""`diagnose`: what HTTP reveals about a failed handshake, in a fake JavaScript."""

import asyncio
import contextlib
from datetime import UTC, datetime
from random import Random

import pytest

from tests.support.recording_sink import Recording
from ws_common.lifecycle.failure_streak import FailureStreak
from ws_common.lifecycle.retry import Retry, Stop, decide_retry
from ws_common.options.backoff import ConnectionRetryInterval
from ws_common.options.options import ConnectRequest, WebSocketOptions
from ws_common.vocabulary.errors import WSHandshakeError
from ws_js.connector import BrowserConnector

HERE, ELSEWHERE = "https://example.org", "https://page.example"
URL = "wss://example.org/chat?token=s3cr3t"
ASKED = "https://example.org/chat?token=s3cr3t"


@pytest.fixture
async def refused(js):
    """A function that begins an attempt, which fails without details."""
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
    """Return the error of an attempt, which contains no secrets."""
    with pytest.raises(WSHandshakeError) as caught:
        await task
    assert "s3cr3t" not in str(caught.value)
    return caught.value


def decision(error, *, streak=FailureStreak()):  # noqa: B008 - immutable
    """The retry decision about the first failure."""
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
        has_provider=False,
    )


def told(request):
    """The options that `fetch` was called with."""
    return {name: getattr(request.init, name) for name in vars(request.init)}


async def test_what_is_asked(js, refused):
    """The same URL is requested past all caches, without cookies and then with them."""
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
    """Without a page there are no cookies, and only one request."""
    task = await refused()
    js.requests[0].respond(503)
    assert 503 == (await failure(task)).status
    assert ["omit"] == [request.init.credentials for request in js.requests]


async def test_a_challenge(js, refused):
    """There is no request with cookies, which would bring up a login dialog."""
    js.as_page(ELSEWHERE)
    task = await refused()
    js.requests[0].respond(401, www_authenticate='Basic realm="here"')
    error = await failure(task)
    assert (error.status, error.status_is_inferred) == (401, False)
    assert len(js.requests) == 1
    assert isinstance(decision(error), Stop)


async def test_a_challenge_that_may_be_hidden(js, refused):
    """Another server may hide the challenge, so that the status is inferred only."""
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
    """If all headers are visible and none is a challenge, cookies are sent."""
    js.as_page(ELSEWHERE)
    task = await refused()
    js.requests[0].respond(401, kind, **headers)
    await turn()
    js.requests[1].respond(503, kind)
    error = await failure(task)
    assert (error.status, error.status_is_inferred) == (503, False)


async def test_credentials_that_are_not_allowed(js, refused):
    """Only the response without cookies is known, so that its status is inferred."""
    js.as_page(ELSEWHERE)
    task = await refused()
    js.requests[0].respond(403)
    await turn()
    js.requests[1].fail()
    error = await failure(task)
    assert (error.status, error.status_is_inferred) == (403, True)


async def test_off_by_default(js, refused):
    """Without the option there is no request."""
    error = await failure(await refused(diagnose=False))
    assert js.requests == []
    assert "a browser tells a page no more" in str(error)


@pytest.mark.parametrize("status", [401, 403, 410, 429, 451, 500, 502, 503])
async def test_refusals(js, refused, status):
    """They are taken for the status of the handshake, and decided about as natively."""
    task = await refused()
    js.requests[0].respond(status)
    error = await failure(task)
    assert (error.status, error.status_is_inferred) == (status, False)
    assert f"the server answers {status}" in str(error)
    same = WSHandshakeError("natively", status=status)
    assert type(decision(error)) is type(decision(same))


async def test_a_proxy_that_wants_a_password(js, refused):
    """A 407 is not the status of the handshake. Firefox and WebKit do not hide it."""
    task = await refused()
    js.requests[0].respond(407)
    error = await failure(task)
    assert error.status is None
    assert "a proxy" in str(error)
    assert isinstance(decision(error), Retry)


async def test_headers(js, refused):
    """The error has the headers that the page may see, and their Retry-After."""
    task = await refused()
    js.requests[0].respond(503, retry_after="7", server="x")
    error = await failure(task)
    assert error.retry_after == 7
    assert error.headers == {"retry-after": "7", "server": "x"}
    assert decision(error).delay >= 7


@pytest.mark.parametrize("status", [200, 204, 400, 405, 426, 501])
async def test_what_endpoints_say_to_plain_requests(js, refused, status):
    """They are not taken for the status of the handshake, and a retry follows."""
    task = await refused(protocols=["a"])
    js.requests[0].respond(status)
    error = await failure(task)
    assert error.status is None
    assert f"answers {status}, as a WebSocket endpoint may" in str(error)
    assert "subprotocols" in str(error)
    assert isinstance(decision(error), Retry)


async def test_not_found_is_inferred(js, refused):
    """A 404 is inferred and final the third time: many frameworks send it to a GET."""
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
    """A redirect is reported without its target, which browsers hide."""
    task = await refused()
    js.requests[0].respond(status, kind)
    error = await failure(task)
    assert error.status is None
    assert "redirects, which a browser does not follow" in str(error)


async def test_cross_origin_rules(js, refused):
    """The error says that a server responds, and that the rules hide the response."""
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
    """Within the origin of the page, no rule can be the reason for no response."""
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
    """The diagnosis ends before the timeout of the attempt, whose error says less."""
    task = await refused(timeout=0.05)
    error = await failure(task)
    assert "no answer within 0.0 s" in str(error)
    assert js.requests[0].aborted


async def test_without_a_timeout(js, refused):
    """Without a timeout, the diagnosis still has a limit."""
    task = await refused(timeout=None)
    js.requests[0].respond(403)
    assert (await failure(task)).status == 403


async def test_cancelling(js, refused):
    """Cancelling aborts the request."""
    task = await refused()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert js.requests[0].aborted


async def test_passwords(js, refused):
    """`fetch` accepts no URL with a password, so that there is no request."""
    task = await refused("wss://joe:secret@example.org/")
    error = await failure(task)
    assert js.requests == []
    assert "secret" not in str(error)
    assert "password" in str(error)


async def test_what_the_runtime_says_is_kept(js):
    """The explanation of Node.js is kept in front of the diagnosis."""
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
    """WebKit makes the socket and lets it fail. The error is permanent."""
    js.as_page(HERE)
    error = await failure(await refused("ws://example.org/"))
    assert error.permanent
    assert "may open wss:// only" in str(error)
    assert js.requests == []
    assert isinstance(decision(error), Stop)
