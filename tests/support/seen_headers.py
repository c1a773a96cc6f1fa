"""The headers of an opening handshake, as the test server has seen them."""

import json


async def seen_headers(connect, url, **how) -> list[tuple[str, str]]:
    """The headers that the server has seen, names in lower case."""
    _, sink = await connect(url, **how)
    (message,) = await sink.until_messages(1)
    return [(name.lower(), value) for name, value in json.loads(message)]
