"""The stream of state changes."""

from tests.support.stream_source import collect
from ws_common.lifecycle.states import Closed, Connecting, Disconnecting, Open


async def test_states(unconnected):
    """Each kind of state has a stream of its own."""
    states = unconnected.client.state_changes
    kinds = [states.connecting, states.open, states.disconnecting, states.closed]
    subscribers = [kind.subscribe() for kind in (*kinds, states.reconnecting)]
    await unconnected.connect()
    await unconnected.end(final=True)

    connecting, opened, disconnecting, closed = [
        entry.state for entry in unconnected.client.history
    ]
    expected = [[connecting], [opened], [disconnecting], [closed], []]
    assert expected == [await collect(one) for one in subscribers]
    classes = [Connecting, Open, Disconnecting, Closed]
    assert classes == [type(state) for (state, *_) in expected[:4]]
