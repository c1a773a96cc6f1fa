"""The headers of an answer, as the errors and the handshake show them."""

from websockets.datastructures import Headers


def plain_headers(headers: Headers) -> dict[str, str]:
    """Names in lower case, repeated ones joined (RFC 9110 section 5.3)."""
    return {name: ", ".join(headers.get_all(name)) for name in headers}
