"""A mapping that is read-only, and can be pickled and copied."""

import copy
import pickle

import pytest

from ws_common.vocabulary.read_only import ReadOnly

ITEMS = {"a": 1, "b": [2]}


def test_reading():
    """It is read like a dict."""
    mapping = ReadOnly(ITEMS)

    assert 1 == mapping["a"]
    assert ["a", "b"] == list(mapping)
    assert 2 == len(mapping)
    assert mapping.get("c") is None
    assert ITEMS == mapping
    assert repr(ITEMS) == repr(mapping)
    with pytest.raises(KeyError):
        mapping["c"]


def test_no_changes():
    """It has no methods that change it."""
    mapping = ReadOnly(ITEMS)

    with pytest.raises(TypeError):
        mapping["a"] = 2
    with pytest.raises(TypeError):
        del mapping["a"]
    with pytest.raises(AttributeError):
        mapping.clear()


def test_copies():
    """It can be pickled and copied deeply, unlike a MappingProxyType."""
    mapping = ReadOnly(ITEMS)

    assert mapping == pickle.loads(pickle.dumps(mapping))  # noqa: S301 - our own
    twin = copy.deepcopy(mapping)
    assert mapping == twin
    assert twin["b"] is not mapping["b"]
