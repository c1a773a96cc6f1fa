"""Binary data of JavaScript; `tests/browser/inside` has what needs a real one."""

import pytest

from ws_common.vocabulary.errors import WSUnsupportedDataError
from ws_js.pyodide_data import BlobData, to_data


@pytest.mark.parametrize("data", ["text", b"bytes", [1, 2], None, object()])
def test_data_of_python_is_none_of_it(data):
    """Data of Python is not converted."""
    assert to_data(data) is None


def test_a_blob_counts_its_size():
    """Nobody can read its bytes at once, so that it cannot be text."""
    data = BlobData("a Blob", 7)
    assert 7 == len(data)
    with pytest.raises(WSUnsupportedDataError, match=r"await blob\.text"):
        data.isascii()
