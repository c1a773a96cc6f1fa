"""Binary data of JavaScript, which `add()` accepts like `bytes`."""

from typing import cast

from pyodide.ffi import JsBuffer, JsProxy

from ws_common.vocabulary.errors import WSUnsupportedDataError
from ws_common.vocabulary.messages import Data


class BlobData:
    """A `Blob` that stands for its bytes.

    Args:
        blob: The `Blob`.
        size: The number of its bytes.

    Attributes:
        blob: The `Blob`.
    """

    # Python can read a Blob asynchronously only, so that it is sent as it is. It may
    # wait in a queue without being copied, because a Blob never changes.

    __slots__ = ("_size", "blob")

    def __init__(self, blob: object, size: int) -> None:
        self.blob = blob
        self._size = size

    def __len__(self) -> int:
        """Return the number of its bytes."""
        return self._size

    def isascii(self) -> bool:
        """Raise, because finding out whether it is text would need its bytes."""
        raise WSUnsupportedDataError(
            "a Blob cannot be sent as text: await blob.text(), and send that"
        )


def to_data(data: object) -> Data | None:
    """Convert data that `WebSocket.send()` accepts; None: it is no such data.

    Typed arrays and `DataView` stand for their bytes, whatever their elements are. The
    bytes are copied, so that later changes in JavaScript have no effect.
    """
    # Without this, Python would see a typed array as a sequence and take its elements
    # for bytes one by one: three floats became three bytes, and 2 MB took a second.
    if isinstance(data, JsBuffer):
        return data.to_bytes()
    if isinstance(data, JsProxy) and hasattr(data, "arrayBuffer"):
        # A `Response` has the method `arrayBuffer` too, but no size.
        size = getattr(data, "size", None)
        if isinstance(size, int):
            return cast("bytes", BlobData(data, size))
    return None
