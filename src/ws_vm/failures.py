"""The border: whatever an attempt raises becomes an error of ours, in plain words.

A cause is kept, except where its own words show what must not be seen: a proxy's
password, or the whole URL.
"""

import socket
import ssl

from websockets.datastructures import Headers
from websockets.exceptions import (
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    SecurityError,
)
from websockets.http11 import Response

from ws_common.vocabulary.errors import (
    WSHandshakeError,
    WSInvalidUrlError,
    WSNotConnectedError,
    WSUnsupportedError,
    clear_tracebacks,
)
from ws_common.vocabulary.retry_after import parse_retry_after
from ws_common.vocabulary.urls import redact

_X509_WORDS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed, and not trusted",
    19: "is not trusted: its chain ends in an unknown self-signed certificate",
    20: "is not trusted: it is signed by an unknown authority",
    21: "is not trusted: its chain is incomplete",
    62: "is for another host name",
    64: "is for another IP address",
}
"""OpenSSL's X509_V_ERR_* codes (x509_vfy.h), as far as people meet them."""


_NETWORK_WORDS = (
    (socket.gaierror, "the host name does not resolve"),
    (ConnectionRefusedError, "connection refused"),
    ((ConnectionResetError, BrokenPipeError), "the connection was reset"),
    (ssl.SSLError, "no TLS could be agreed on"),
    (TimeoutError, "no answer"),
)
"""What the operating system and TLS report; the first that fits counts."""


def translate(error: Exception, url: str) -> WSNotConnectedError | WSUnsupportedError:
    """Return the error to raise, with its `__cause__` set.

    Args:
        error: What the library, asyncio or the operating system raised.
        url: The whole URL of the attempt.
    """
    ours = _describe(error, f"could not connect to {redact(url)}")
    if isinstance(error, OSError | EOFError | InvalidHandshake):
        clear_tracebacks(error)
    shows_secrets = isinstance(error, InvalidProxy | InvalidURI)
    ours.__cause__ = None if shows_secrets else error
    return ours


def _describe(  # noqa: PLR0911 - one for each kind of failure
    error: Exception, what: str
) -> WSNotConnectedError | WSUnsupportedError:
    match error:
        case InvalidStatus(response=response):
            return refused(response, f"{what}: the server answered {_status(response)}")
        case InvalidProxyStatus(response=response):
            return refused(response, f"{what}: the proxy answered {_status(response)}")
        case InvalidProxy(msg=words):
            # The option was checked: it is the environment's.
            return WSInvalidUrlError(f"{what}: the proxy's URL: {words}")
        case InvalidURI(msg=words):
            return WSInvalidUrlError(f"{what}: {words}")
        case InvalidHandshake():
            return WSHandshakeError(f"{what}: {_handshake(error)}")
        case ssl.SSLCertVerificationError():
            words = _X509_WORDS.get(error.verify_code, "is not valid")
            words = f"the server's certificate {words} ({error.verify_message})"
            return WSHandshakeError(f"{what}: {words}", permanent=True)
        case ImportError():  # python-socks is not installed
            return WSUnsupportedError(f"{what}: {error}")
        case _:
            return WSNotConnectedError(f"{what}: {_network(error)}")


def refused(response: Response, what: str) -> WSHandshakeError:
    """Return the error for an answer that opens no connection.

    Args:
        response: The answer of a server or a proxy.
        what: What happened, as a sentence.
    """
    headers = plain_headers(response.headers)
    return WSHandshakeError(
        what,
        status=response.status_code,
        headers=headers,
        retry_after=parse_retry_after(headers),
    )


def plain_headers(headers: Headers) -> dict[str, str]:
    """Names in lower case, repeated ones joined (RFC 9110 section 5.3)."""
    return {name: ", ".join(headers.get_all(name)) for name in headers}


def _status(response: Response) -> str:
    return f"{response.status_code} {response.reason_phrase}".strip()


def _handshake(error: InvalidHandshake) -> str:
    if isinstance(error, InvalidMessage):
        cause = error.__cause__
        if isinstance(cause, EOFError):
            return "the server hung up in the middle of the opening handshake"
        words = f": {cause}" if cause is not None else ""
        return f"what answered does not speak HTTP as a WebSocket server does{words}"
    if isinstance(error, ProxyError):
        return f"the proxy failed: {error}"
    if isinstance(error, SecurityError):
        return f"a limit was exceeded: {error}"
    return f"the opening handshake is not right: {error}"


def _network(error: Exception) -> str:
    for kinds, words in _NETWORK_WORDS:
        if isinstance(error, kinds):
            return f"{words} ({error})" if str(error) else words
    return (
        str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
    )
