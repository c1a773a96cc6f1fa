"""The events of the network and the page, and what they mean."""

from typing import get_args

from ws_common.vocabulary.causes import MEANINGS
from ws_common.vocabulary.environment_events import (
    ENVIRONMENT_EVENTS,
    HOLD_REASONS,
    EnvironmentEvent,
    Hold,
)


def test_every_event_has_a_meaning():
    """Every event is listed, and nothing else is."""
    assert set(get_args(EnvironmentEvent)) == ENVIRONMENT_EVENTS.keys()


def test_every_hold_is_explained():
    """`explain()` has words for every reason to hold an attempt."""
    assert set(get_args(Hold)) == HOLD_REASONS.keys()


def test_every_hold_is_released():
    """Each reason is set by one event and released by another, which has a cause."""
    effects = ENVIRONMENT_EVENTS.values()
    releasing = [effect for effect in effects if effect.release is not None]

    assert set(get_args(Hold)) == {effect.hold for effect in effects} - {None}
    assert set(get_args(Hold)) == {effect.release for effect in releasing}
    assert {effect.cause for effect in releasing} <= MEANINGS.keys()


def test_a_page_that_cannot_run_sends_no_probe():
    """A page that is cached or frozen could not see the answer."""
    silent = {name for name, effect in ENVIRONMENT_EVENTS.items() if not effect.probe}

    assert silent == {"page_cached", "page_frozen"}


def test_gaps():
    """Time may have passed unnoticed for a page that could not run."""
    gaps = {name for name, effect in ENVIRONMENT_EVENTS.items() if effect.gap}

    assert gaps == {"page_shown", "page_resumed"}
