"""The protocol of a session."""

import ws
from ws.testing import WebSocketClientFake
from ws_common.vocabulary.session import Session


def members(cls: type) -> set[str]:
    """Return the public names that a class declares."""
    names = {*vars(cls), *cls.__annotations__}
    return {name for name in names if not name.startswith("_")} | {"__aiter__"}


async def test_what_after_connect_is_called_with():
    """The session of `after_connect` has all members of the protocol."""
    sessions: list[ws.Session] = []
    options = ws.WebSocketOptions(after_connect=sessions.append)
    fake = WebSocketClientFake()
    async with ws.WebSocketClient.from_client(fake, options) as client:
        await client.connect("ws://anywhere/")
    (session,) = sessions

    assert {"add", "recv", "connection", "url", "protocol"} <= members(Session)
    assert [] == [name for name in members(Session) if not hasattr(session, name)]
    assert 1 == session.connection
