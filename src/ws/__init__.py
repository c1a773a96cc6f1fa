"""One WebSocket client for Python, everywhere Python runs."""

import sys

from ws_common.client import WebSocketClient, connect
from ws_common.client_protocol import IWebSocketClient
from ws_common.diagnostics.metrics import WebSocketMetrics
from ws_common.diagnostics.reporter import HistoryEntry
from ws_common.lifecycle.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
    Reconnecting,
    WebSocketClientState,
    WebSocketReadyState,
)
from ws_common.options import platform as _platform
from ws_common.options.backoff import ConnectionRetryInterval, RetryContext
from ws_common.options.compression import CompressionOptions
from ws_common.options.heartbeat import Heartbeat
from ws_common.options.interceptors import WSInterceptor
from ws_common.options.json_codec import Json
from ws_common.options.options import (
    ConnectContext,
    Connector,
    ConnectRequest,
    Url,
    WebSocketOptions,
)
from ws_common.options.outbox import Outbox
from ws_common.options.platform import Overflow
from ws_common.options.signatures import publish_signatures as _publish_signatures
from ws_common.receive.message_stream import WebSocketMessagesStream
from ws_common.receive.state_stream import WebSocketStatesStream
from ws_common.receive.stream import Stream
from ws_common.receive.subscriber import Subscriber
from ws_common.receive.subscription import Subscription
from ws_common.send.receipt import Receipt
from ws_common.vocabulary.durations import Seconds
from ws_common.vocabulary.errors import (
    WSClientClosedError,
    WSConnectionClosedError,
    WSDecodeError,
    WSDisconnectError,
    WSError,
    WSHandshakeError,
    WSInvalidCloseError,
    WSInvalidUrlError,
    WSMessageDroppedError,
    WSNotConnectedError,
    WSOutboxFullError,
    WSRetriesExhaustedError,
    WSSendError,
    WSStreamOverflowError,
    WSSupersededError,
    WSTimeoutError,
    WSUnsupportedDataError,
    WSUnsupportedError,
)
from ws_common.vocabulary.events import ClientEvent
from ws_common.vocabulary.messages import Data, Sendable
from ws_common.vocabulary.session import Session
from ws_common.vocabulary.status_codes import WebSocketStatusCode
from ws_common.vocabulary.transport import (
    CloseInfo,
    Handshake,
    Headers,
    Transport,
    TransportSink,
)

# This is the only place that tests for the platform. Type checkers understand the
# literal comparison with `sys.platform`, and check each platform by its own branch. In
# Pyodide `sys.platform` is "emscripten", in the main thread and in a worker.
if sys.platform == "emscripten":
    from ws_js import PLATFORM as _PLATFORM
    from ws_js.pyodide_run import run
else:
    from ws_vm import PLATFORM as _PLATFORM
    from ws_vm.run import run

# Before anything else can make options: their defaults depend on the platform.
_platform.bind(_PLATFORM)
_publish_signatures(
    connect.__init__,
    WebSocketClient.__init__,
    WebSocketClient.start,
    WebSocketClient.from_client,
)

PLATFORM = _PLATFORM.name

# hatchling reads the version of the distribution from this line.
__version__ = "0.1.0"

__all__ = [
    "PLATFORM",
    "ClientEvent",
    "CloseInfo",
    "Closed",
    "CompressionOptions",
    "ConnectContext",
    "ConnectRequest",
    "Connecting",
    "ConnectionRetryInterval",
    "Connector",
    "Data",
    "Disconnecting",
    "Handshake",
    "Headers",
    "Heartbeat",
    "HistoryEntry",
    "IWebSocketClient",
    "Json",
    "Open",
    "Outbox",
    "Overflow",
    "Receipt",
    "Reconnecting",
    "RetryContext",
    "Seconds",
    "Sendable",
    "Session",
    "Stream",
    "Subscriber",
    "Subscription",
    "Transport",
    "TransportSink",
    "Url",
    "WSClientClosedError",
    "WSConnectionClosedError",
    "WSDecodeError",
    "WSDisconnectError",
    "WSError",
    "WSHandshakeError",
    "WSInterceptor",
    "WSInvalidCloseError",
    "WSInvalidUrlError",
    "WSMessageDroppedError",
    "WSNotConnectedError",
    "WSOutboxFullError",
    "WSRetriesExhaustedError",
    "WSSendError",
    "WSStreamOverflowError",
    "WSSupersededError",
    "WSTimeoutError",
    "WSUnsupportedDataError",
    "WSUnsupportedError",
    "WebSocketClient",
    "WebSocketClientState",
    "WebSocketMessagesStream",
    "WebSocketMetrics",
    "WebSocketOptions",
    "WebSocketReadyState",
    "WebSocketStatesStream",
    "WebSocketStatusCode",
    "__version__",
    "connect",
    "run",
]

# Tracebacks, reprs and pickles show the public name, `ws.WSError` and not
# `ws_common.vocabulary.errors.WSError`. So a pickle stays valid when a module is moved.
# Type aliases such as `Data` have no `__module__` of this package, and stay as they
# are.
for _name in __all__:
    _thing = globals()[_name]
    if getattr(_thing, "__module__", "").startswith("ws_"):
        _thing.__module__ = __name__
