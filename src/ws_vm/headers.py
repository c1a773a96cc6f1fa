"""The headers of an answer, as the errors and the handshake show them."""

from websockets.datastructures import Headers


def plain_headers(headers: Headers) -> dict[str, str]:
    """Names in lower case, repeated ones joined (RFC 9110 section 5.3)."""
    plain: dict[str, str] = {}
    for name, value in headers.raw_items():
        key = name.lower()
        plain[key] = f"{plain[key]}, {value}" if key in plain else value
    return plain
