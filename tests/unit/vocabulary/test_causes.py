"""The causes of state changes."""

from typing import get_args

from ws_common.vocabulary.causes import MEANINGS, Cause


def test_every_cause_has_a_meaning():
    """Every cause is explained, and nothing else is."""
    assert set(get_args(Cause)) == MEANINGS.keys()


def test_meanings_differ():
    """No two causes are explained in the same words."""
    assert len(MEANINGS) == len(set(MEANINGS.values()))


def test_meanings_continue_a_sentence():
    """A meaning follows "because": it has neither a capital nor a full stop."""
    for meaning in MEANINGS.values():
        begin = meaning.split()[0]
        assert begin == begin.lower() or begin == "URL"
        assert not meaning.endswith(".")
