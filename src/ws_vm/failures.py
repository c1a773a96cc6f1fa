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
    (ConnectionRefusedError, "connection refused"),
    ((ConnectionResetError, BrokenPipeError), "the connection was reset"),
    # A certificate error is an SSLError too, but `_describe()` handles it before.
    (ssl.SSLError, "no TLS could be agreed on"),
    (TimeoutError, "no answer"),
)
"""Descriptions of errors of the operating system and of TLS; the first match counts."""


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
            return refusal_error(
                response, f"{what}: the server answered {_format_status(response)}"
            )
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
            return "the server hung up in the middle of the opening handshake"
        reason = f": {cause}" if cause is not None else ""
        return f"what answered does not speak HTTP as a WebSocket server does{reason}"
    if isinstance(error, ProxyError):
        return f"the proxy failed: {error}"
    if isinstance(error, SecurityError):
        return f"a limit was exceeded: {error}"
    return f"the opening handshake is not right: {error}"


def _network_reason(error: Exception) -> str:
    for kinds, reason in _NETWORK_REASONS:
        if isinstance(error, kinds):
            return f"{reason} ({error})" if str(error) else reason
    return (
        str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
    )
