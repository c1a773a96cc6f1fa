"""How many messages have arrived, as far as answered pings say."""

from ws_common.connection.confirmations import Confirmations
from ws_common.diagnostics.metrics import Counters


def confirmations_of(*sizes: int) -> tuple[Counters, Confirmations]:
    """Counters of a client, and a connection that was handed messages."""
    counters = Counters()
    confirmations = Confirmations(counters)
    for size in sizes:
        confirmations.add(size)
    return counters, confirmations


def test_messages_are_counted_for_the_client():
    """Their number and payload go into the counters that all connections share."""
    counters, confirmations = confirmations_of(3, 4)

    assert (2, 7) == (counters.transferred_count, counters.transferred_size)
    assert 2 == confirmations.handed_over == confirmations.unconfirmed


def test_an_answered_ping_confirms_what_was_sent_before_it():
    """Messages that were sent between the ping and its answer stay unconfirmed."""
    counters, confirmations = confirmations_of(1, 1)
    before_the_ping = confirmations.handed_over
    confirmations.add(1)

    confirmations.confirm(0.25, before_the_ping)

    assert 1 == confirmations.unconfirmed
    assert 0.25 == counters.latency


def test_pings_that_are_answered_out_of_order():
    """An old answer does not take back what a later one has confirmed."""
    counters, confirmations = confirmations_of(1, 1, 1)

    confirmations.confirm(0.1, 3)
    confirmations.confirm(0.9, 1)

    assert 0 == confirmations.unconfirmed
    assert 0.9 == counters.latency


def test_frozen_numbers_do_not_count_the_next_connection():
    """The number stays, however much is sent and confirmed on the next connection."""
    counters, confirmations = confirmations_of(1, 1)
    confirmations.freeze()
    following = Confirmations(counters)
    following.add(1)
    following.confirm(0.1, following.handed_over)

    confirmations.freeze()

    assert 2 == confirmations.unconfirmed
    assert 0 == following.unconfirmed
