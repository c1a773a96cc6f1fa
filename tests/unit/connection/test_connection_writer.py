"""The sending half of a connection, without a client around it."""

import asyncio

import pytest

from tests.support.fake_transport import FakeTransport
from tests.support.idle import until_idle
from tests.support.recording_sink import Recording
from ws_common.connection.connection_table import Phase, State
from ws_common.connection.connection_writer import ConnectionWriter
from ws_common.connection.write_buffer import WriteBuffer
from ws_common.diagnostics.metrics import Counters
from ws_common.lifecycle.state_machine import MachineDriver
from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.errors import WSConnectionClosedError
from ws_common.vocabulary.transport import CloseInfo

pytestmark = pytest.mark.looptime

OPEN = State(phase=Phase.OPEN, opened=True)
BY_PEER = CloseInfo(code=1001, reason="restart", was_clean=True, initiator="peer")
ANSWERED = CloseInfo(code=1000, was_clean=True, initiator="local")


class Writer:
    """A writer whose state is set by the test.

    Attributes:
        counters: The counters of its client.
        transport: The transport under it.
        connection: The writer.
    """

    def __init__(self, state: State = OPEN, *, pings: bool = True) -> None:
        self._driver = MachineDriver(state, lambda state, _: (state, ()), print)
        self.counters = Counters()
        self.transport = FakeTransport(Recording(), pings=pings, can_pause=True)
        self.connection = ConnectionWriter(
            self._driver, WriteBuffer(100), self.counters, Clock()
        )
        self.connection.transport = self.transport

    def end(self, close: CloseInfo, phase: Phase = Phase.CLOSED) -> None:
        """Let the connection be closing, or closed."""
        over = phase is not Phase.CLOSING
        self._driver.state = self._driver.state._replace(
            phase=phase, closing=close, end=close if over else None
        )


async def test_a_message_is_handed_over_and_counted():
    """The payload counts in bytes, which the send buffer is compared with."""
    writer = Writer()
    writer.connection.send("hello", text=True)
    writer.connection.send(b"abc", text=False)

    assert ["hello", b"abc"] == writer.transport.sent
    assert 8 == writer.counters.transferred_size
    assert 2 == writer.connection.confirmations.unconfirmed


@pytest.mark.parametrize("phase", [Phase.CLOSING, Phase.CLOSED, Phase.ABANDONED])
async def test_nothing_follows_a_close_frame(phase):
    """The error says how the connection ended, and nothing is counted."""
    writer = Writer()
    writer.end(BY_PEER, phase)

    with pytest.raises(WSConnectionClosedError) as caught:
        writer.connection.send("late", text=True)

    assert (1001, "restart") == (caught.value.close_code, caught.value.close_reason)
    assert [] == writer.transport.sent
    assert 0 == writer.counters.transferred_count


@pytest.mark.parametrize(("close", "unconfirmed"), [(BY_PEER, 1), (ANSWERED, 0)])
async def test_only_an_answer_to_our_close_confirms(close, unconfirmed):
    """A peer that closes first may not have read what was sent."""
    writer = Writer()
    writer.connection.send("a", text=True)
    writer.end(close)

    assert unconfirmed == writer.connection.closed_error().unconfirmed


async def test_a_loss_is_assumed_where_nothing_is_known():
    """The code is 1006, which says that no Close frame was received."""
    assert 1006 == Writer().connection.close_info.code


async def test_a_ping_confirms_what_was_sent_before_it():
    """Its result is the round trip."""
    writer = Writer()
    writer.connection.send("a", text=True)
    pinging = asyncio.ensure_future(writer.connection.ping())
    await asyncio.sleep(0.25)
    writer.transport.pong()

    assert 0.25 == pytest.approx(await pinging)
    assert 0 == writer.connection.confirmations.unconfirmed


async def test_a_ping_of_a_connection_that_ends():
    """It raises what became of the connection, and no CancelledError."""
    writer = Writer()
    pinging = asyncio.ensure_future(writer.connection.ping())
    await until_idle()
    writer.end(BY_PEER)
    writer.transport._forget_pongs()

    with pytest.raises(WSConnectionClosedError):
        await pinging


async def test_a_ping_whose_caller_is_cancelled():
    """The cancellation reaches the caller while the connection is open."""
    pinging = asyncio.ensure_future(Writer().connection.ping())
    await until_idle()
    pinging.cancel()

    with pytest.raises(asyncio.CancelledError):
        await pinging


async def test_without_pings_there_is_nothing_to_await():
    """A browser cannot send a Ping frame."""
    assert Writer(pings=False).connection.ping() is None


async def test_waiting_for_room_on_a_connection_that_has_ended():
    """It raises at once, as no room will come."""
    writer = Writer()
    writer.transport.buffered_amount = 101
    assert writer.connection.above_limit
    writer.end(BY_PEER)

    with pytest.raises(WSConnectionClosedError):
        await writer.connection.wait_writable()
