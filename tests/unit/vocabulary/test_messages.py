"""Messages: their conversion to a payload, and their size."""

import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ws_common.options import platform as platforms
from ws_common.vocabulary.errors import WSUnsupportedDataError
from ws_common.vocabulary.messages import payload_size, size_of, to_wire


@pytest.mark.parametrize(
    ("data", "text", "payload"),
    [
        ("hello", None, ("hello", True)),
        ("hello", True, ("hello", True)),
        ("hello", False, (b"hello", False)),
        ("hällo", None, ("hällo".encode(), True)),
        ("hällo", False, ("hällo".encode(), False)),
        ("", None, ("", True)),
        (b"\xff", None, (b"\xff", False)),
        (b"hello", True, (b"hello", True)),
        ("hällo".encode(), True, ("hällo".encode(), True)),
        (bytearray(b"ab"), None, (b"ab", False)),
        (memoryview(b"abc")[1:], None, (b"bc", False)),
        (array.array("B", [1, 2]), None, (b"\x01\x02", False)),
        ([0, 255], None, (b"\x00\xff", False)),
        (range(3), None, (b"\x00\x01\x02", False)),
        ([], True, (b"", True)),
    ],
)
def test_payload(data, text, payload):
    """ASCII text stays a `str`; everything else becomes bytes."""
    assert payload == to_wire(data, text=text)


def test_later_changes_are_not_sent():
    """A mutable object is copied."""
    data = bytearray(b"before")
    payload, _ = to_wire(data)
    data[:] = b"after!"

    assert payload == b"before"


@pytest.mark.parametrize(
    ("data", "text", "message"),
    [
        ("ab\udcff", None, "lone surrogate at position 2"),
        (b"ab\xff", True, "decoding fails at byte 2 of 3"),
        ([0, 256], None, "integers from 0 to 255"),
        (["a"], None, "integers from 0 to 255"),
        ([-1], None, "integers from 0 to 255"),
        (1.5, None, "float cannot be sent"),
        (None, None, "NoneType cannot be sent"),
        ({"a": 1}, None, r"dict cannot be sent.*json\.dumps"),
        ({1, 2}, None, "set cannot be sent"),
        (7, None, "int cannot be sent"),
    ],
    ids=repr,
)
def test_unsupported(data, text, message):
    """An object that cannot be sent raises an error that says why."""
    with pytest.raises(WSUnsupportedDataError, match=message):
        to_wire(data, text=text)


def test_types_of_the_platform(platform):
    """The platform converts its own types, and is asked before sequences."""
    blob = object()

    def to_data(data):
        return b"converted" if data is blob or data == [1] else None

    platforms.bind(platform._replace(to_data=to_data))

    assert (b"converted", False) == to_wire(blob)
    assert (b"converted", False) == to_wire([1])
    assert (b"\x02", False) == to_wire([2])


@given(data=st.one_of(st.text(st.characters(codec="utf-8")), st.binary()))
def test_size(data):
    """The size is that of the UTF-8 bytes, before and after the conversion."""
    expected = len(data.encode() if isinstance(data, str) else data)
    payload, _ = to_wire(data)

    assert expected == size_of(data) == payload_size(data) == len(payload)


@pytest.mark.parametrize("item", [None, 7, ["a"], {"a": 1}])
def test_size_of_other_objects(item):
    """The objects of an interceptor have no payload."""
    assert 0 == payload_size(item)
