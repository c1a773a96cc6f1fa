"""JavaScript's binary data, as `add()` takes it."""

from typing import cast

from pyodide.ffi import JsBuffer, JsProxy

from ws_common.vocabulary.errors import WSUnsupportedDataError
from ws_common.vocabulary.messages import Data


class BlobData:
    """Stands for the bytes of a `Blob`, which JavaScript alone can read at once.

    Attributes:
        blob: It never changes, so that it can wait as it is.
    """

    __slots__ = ("_size", "blob")

    def __init__(self, blob: object, size: int) -> None:
        self.blob = blob
        self._size = size

    def __len__(self) -> int:
        """Return the number of its bytes."""
        return self._size

    def isascii(self) -> bool:
        """Refuse to be text, since that would take its bytes."""
        raise WSUnsupportedDataError(
            "a Blob cannot be sent as text: await blob.text(), and send that"
        )


def to_data(data: object) -> Data | None:
    """Take what `WebSocket.send` takes, as it is now; None: it is none of that.

    Typed arrays and `DataView` are the bytes that are seen through them, whatever
    their elements are.
    """
    if isinstance(data, JsBuffer):
        return data.to_bytes()
    if isinstance(data, JsProxy) and hasattr(data, "arrayBuffer"):
        size = getattr(data, "size", None)  # which a `Response` has not
        if isinstance(size, int):
            return cast("bytes", BlobData(data, size))
    return None
