"""Translates the errors of an attempt into errors of this package, in plain words.

The original error is kept as the cause, except if its message may contain what must not
be seen: the password of a proxy, or the whole URL.
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

_X509_REASONS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed, and not trusted",
    19: "is not trusted: its chain ends in an unknown self-signed certificate",
    20: "is not trusted: it is signed by an unknown authority",
    21: "is not trusted: its chain is incomplete",
    62: "is for another host name",
    64: "is for another IP address",
}
"""Descriptions of the most frequent X509_V_ERR_* codes of OpenSSL (x509_vfy.h)."""


_NETWORK_REASONS = (
    (socket.gaierror, "the host name does not resolve"),
    (ConnectionRefusedError, "connection refused: no server listens there"),
    ((ConnectionResetError, BrokenPipeError), "the connection was reset"),
    # A certificate error is an SSLError too, but `_describe()` handles it before.
    (ssl.SSLError, "no TLS could be agreed on"),
    (TimeoutError, "no answer"),
)
"""Descriptions of errors of the operating system and of TLS; the first match counts."""


_NO_TLS = frozenset(
    {
        "HTTP_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "UNEXPECTED_MESSAGE",
        "WRONG_VERSION_NUMBER",
    }
)
"""What OpenSSL says if the first bytes of a server are no TLS."""

_STATUS_HINTS = {
    200: "this URL serves web pages and no WebSocket; is the path right, or does a "
    "captive portal of this network answer?",
    404: "is the path right?",
    426: "it wants another protocol",
    511: "log in to this network first, in a browser",
}
"""The likely mistake behind some statuses."""


def translate_error(
    error: Exception, url: str
) -> WSNotConnectedError | WSUnsupportedError:
    """Return the error to raise, with its `__cause__` set.

    Args:
        error: What the library, asyncio or the operating system has raised.
        url: The URL of the attempt. It is redacted in the message.
    """
    ours = _describe(error, f"could not connect to {redact(url)}")
    if isinstance(error, OSError | EOFError | InvalidHandshake):
        # The history of a client keeps errors. Their tracebacks would keep the frames
        # alive, and with them the connection. Of unexpected errors they are needed.
        clear_tracebacks(error)
    # The messages of these two quote the whole URL, with credentials and query.
    shows_secrets = isinstance(error, InvalidProxy | InvalidURI)
    ours.__cause__ = None if shows_secrets else error
    return ours


def _describe(  # noqa: PLR0911 - one for each kind of failure
    error: Exception, what: str
) -> WSNotConnectedError | WSUnsupportedError:
    match error:
        case InvalidStatus(response=response):
            status = _format_status(response)
            hint = _STATUS_HINTS.get(response.status_code)
            said = f"{status}; {hint}" if hint else status
            return refusal_error(response, f"{what}: the server answered {said}")
        case InvalidProxyStatus(response=response):
            return refusal_error(
                response, f"{what}: the proxy answered {_format_status(response)}"
            )
        case InvalidProxy(msg=reason):
            # The option was checked when it was set, so the URL is the environment's.
            return WSInvalidUrlError(f"{what}: the proxy's URL: {reason}")
        case InvalidURI(msg=reason):
            return WSInvalidUrlError(f"{what}: {reason}")
        case InvalidHandshake():
            return WSHandshakeError(f"{what}: {_handshake_reason(error)}")
        # No retry makes a certificate valid, so this is final.
        case ssl.SSLCertVerificationError():
            reason = _X509_REASONS.get(error.verify_code, "is not valid")
            reason = f"the server's certificate {reason} ({error.verify_message})"
            return WSHandshakeError(f"{what}: {reason}", permanent=True)
        case ImportError():  # python-socks is not installed
            return WSUnsupportedError(f"{what}: {error}")
        case _:
            return WSNotConnectedError(f"{what}: {_network_reason(error)}")


def refusal_error(response: Response, what: str) -> WSHandshakeError:
    """Return the error for a response that does not open a connection.

    Args:
        response: The response of a server or a proxy.
        what: What has happened, as a sentence.
    """
    headers = plain_headers(response.headers)
    return WSHandshakeError(
        what,
        status=response.status_code,
        headers=headers,
        retry_after=parse_retry_after(headers),
    )


def plain_headers(headers: Headers) -> dict[str, str]:
    """Return headers with names in lower case.

    The values of repeated headers are joined with commas (RFC 9110 section 5.3).
    """
    return {name: ", ".join(headers.get_all(name)) for name in headers}


def _format_status(response: Response) -> str:
    return f"{response.status_code} {response.reason_phrase}".strip()


def _handshake_reason(error: InvalidHandshake) -> str:
    if isinstance(error, InvalidMessage):
        cause = error.__cause__
        if isinstance(cause, EOFError):
            # A server that expects TLS or HTTP/2 understands no request of ours. Most
            # say nothing, so that this is the only sign of the mistake.
            return (
                "the server hung up in the middle of the opening handshake; does it "
                "expect TLS (wss://) or HTTP/2 on this port?"
            )
        reason = f": {cause}" if cause is not None else ""
        return f"what answered does not speak HTTP as a WebSocket server does{reason}"
    if isinstance(error, ProxyError):
        return f"the proxy failed: {error}"
    if isinstance(error, SecurityError):
        return f"a limit was exceeded: {error}"
    return f"the opening handshake is not right: {error}"


def _network_reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return "the server does not speak TLS on this port: is it ws://, not wss://?"
    for kinds, reason in _NETWORK_REASONS:
        if isinstance(error, kinds):
            # What asyncio says of a refused connection repeats the address.
            details = "" if kinds is ConnectionRefusedError else str(error)
            return f"{reason} ({details})" if details else reason
    return (
        str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
    )
