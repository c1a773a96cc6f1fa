"""The checks of the headers that a program adds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ws_common.vocabulary.headers import check_headers, check_value, is_reserved

CONTROL = "".join(map(chr, [*range(9), *range(10, 32), 127]))


def test_kept():
    """Every name keeps its values in order, and the result is read-only."""
    given_headers = {"Authorization": "Bearer x", "X-Tag": ["a", "b"], "X-Empty": ""}

    kept = check_headers(given_headers)
    given_headers["Authorization"] = "changed"

    expected = {
        "Authorization": ("Bearer x",),
        "X-Tag": ("a", "b"),
        "X-Empty": ("",),
    }
    assert expected == kept
    with pytest.raises(TypeError):
        kept["X-Tag"] = ("c",)


@given(
    before=st.text(max_size=5),
    bad=st.sampled_from(CONTROL),
    after=st.text(max_size=5),
)
def test_no_value_ends_the_line(before, bad, after):
    """A value with a control character, CR or LF is refused, and is not shown."""
    secret = "hunter2"  # noqa: S105 - it is what must not be seen
    value = f"{before}{bad}{after}{secret}"

    with pytest.raises(ValueError, match="X-Token: a value must not contain") as caught:
        check_headers({"X-Token": value})
    with pytest.raises(ValueError, match="X-Token"):
        check_headers({"X-Token": ["fine", value]})

    assert secret not in str(caught.value)


@given(value=st.text())
def test_what_passes_is_safe(value):
    """A valid value can be encoded as Latin-1, and contains no line break."""
    try:
        check_value("X", value)
    except ValueError:
        return
    line = f"X: {value}\r\n".encode("latin-1")
    assert 1 == len(line.split(b"\n")[:-1])
    assert 1 == line.count(b"\r")
    assert b"\x00" not in line


@given(name=st.text())
def test_names_are_tokens(name):
    """A name that is not a token of RFC 9110 is refused."""
    tchar = set("!#$%&'*+-.^_`|~0123456789") | {
        letter
        for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        for letter in upper + upper.lower()
    }
    if name and set(name) <= tchar:
        assert {name: ("x",)} == check_headers({name: "x"})
    else:
        with pytest.raises(ValueError, match="not a valid header name"):
            check_headers({name: "x"})


@pytest.mark.parametrize("name", ["", "X Y", "X:", "X\r\nEvil", "Ü", 7, None, "X\n"])
def test_bad_names(name):
    """These names are not tokens, and are refused."""
    with pytest.raises(ValueError, match="not a valid header name"):
        check_headers({name: "x"})


@pytest.mark.parametrize("value", [None, 1, b"x", ["x", None], [b"x"], object()])
def test_values_are_strings(value):
    """A value of any other type is refused, and so are bytes."""
    with pytest.raises(TypeError, match="X-Odd: a value must be a string"):
        check_headers({"X-Odd": value})


@pytest.mark.parametrize("headers", [None, [("a", "b")], "a: b", 7])
def test_must_be_a_mapping(headers):
    """Anything but a mapping is refused, and so is a list of pairs."""
    with pytest.raises(TypeError, match="headers must be a mapping"):
        check_headers(headers)


@pytest.mark.parametrize(
    "name",
    ["Connection", "UPGRADE", "host", "Sec-WebSocket-Key", "sec-websocket-protocol"],
)
def test_reserved(name):
    """A program cannot set the headers that the handshake sets itself."""
    assert is_reserved(name)


@pytest.mark.parametrize(
    "name", ["Authorization", "Cookie", "X-Host", "Origin", "Sec-"]
)
def test_not_reserved(name):
    """A program can set any other header."""
    assert not is_reserved(name)
