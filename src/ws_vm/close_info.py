"""Why a connection ends, as a `CloseInfo`: our Close, a failure found here, the peer.

All facts are in the library's protocol: which Close frames went and came, and in which
order. Only a failure is kept beside it (`FrameReader.close`), because the wire may say
something else later, or nothing: a peer that just hangs up after our complaint leaves
a 1006 there. The first cause stays.
"""

from websockets.client import ClientProtocol
from websockets.frames import CloseCode

from ws_common.errors import forget_frames
from ws_common.transport import CloseInfo


def of_wire(library: ClientProtocol, error: BaseException | None = None) -> CloseInfo:
    """What the frames that went and came say, and what the network reported.

    Args:
        library: The library's protocol.
        error: What the network reported.
    """
    close = library.close_rcvd
    if close is not None:
        return CloseInfo(
            code=int(close.code),
            reason=close.reason,
            was_clean=True,
            initiator="peer" if library.close_rcvd_then_sent else "local",
            error=error,
        )
    error = error or library.parser_exc
    if error is not None:
        forget_frames(error)
    return CloseInfo(
        code=CloseCode.ABNORMAL_CLOSURE.value,
        initiator="network" if library.close_sent is None else "local",
        error=error,
    )
