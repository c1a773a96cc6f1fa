"""The event that `on_event` is called with."""

import dataclasses
from datetime import UTC, datetime

import pytest

from ws_common.vocabulary.events import ClientEvent
from ws_common.vocabulary.read_only import ReadOnly

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def make(**details: object) -> ClientEvent:
    return ClientEvent(name="reconnected", at=NOW, details=ReadOnly(details))


def test_values():
    """An event has a name, a time and details."""
    event = make(attempt=3)

    assert ("reconnected", NOW, 3) == (event.name, event.at, event.details["attempt"])


def test_equality():
    """Events with the same values are equal."""
    assert make(attempt=3) == make(attempt=3)
    assert make(attempt=3) != make(attempt=4)


def test_immutable():
    """A listener cannot change an event that others see after it."""
    event = make()

    with pytest.raises(dataclasses.FrozenInstanceError):
        event.name = "other"
    with pytest.raises(TypeError):
        event.details["attempt"] = 4


def test_keywords_only():
    """The order of the values is not part of the interface."""
    with pytest.raises(TypeError):
        ClientEvent("reconnected", NOW, {})
