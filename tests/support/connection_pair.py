"""One connection, played twice: the real one, and a reference made from its table.

Both sides are played the same actions at the same times and log what comes of them:
what the transport, the pipeline and the owner are told, in order. What is told may
act in turn (`reactions`), from inside the call that told it.

`RealSide` and `ReferenceSide` are in files of their own.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ws_common.options.heartbeat import Heartbeat
from ws_common.vocabulary.transport import CloseInfo

# The moments at which these end fall between the whole seconds of the actions.
CLOSE_TIMEOUT = 2.5
HEARTBEAT = Heartbeat(interval=3.25, timeout=1)
PROBE = Heartbeat()

ENDS: Mapping[str, CloseInfo] = {
    "peer": CloseInfo(code=1001, reason="going", was_clean=True, initiator="peer"),
    "failure": CloseInfo(code=1002, reason="bad", initiator="local"),
    "answer": CloseInfo(code=1000, was_clean=True, initiator="local"),
    "loss": CloseInfo(code=1006),
}
"""How a transport may report that it closes, or has closed."""

Reactions = Mapping[str, Iterable[str]]
"""A logged call -> the actions taken from inside it, the first time."""


class Side:
    """What both sides share: the log, the reactions, and what a transport may do.

    Attributes:
        log: What was told to whom.
    """

    def __init__(self, reactions: Reactions) -> None:
        self.log: list[tuple[Any, ...]] = []
        self._reactions = {name: tuple(acts) for name, acts in reactions.items()}
        self._attached = False
        self._opened = False
        self._ended = False
        self._aborts = 0
        self._inside_abort = False

    def act(self, action: str) -> None:
        """Play one action, unless it is impossible in this state."""
        name, _, detail = action.partition(" ")
        from_transport = name in ("message", "byte", "closing", "closed", "drain")
        if from_transport and not self._is_live:
            return
        if name in ("send", "drain", "probe", "wait_for_room") and not self._attached:
            return
        if name == "attach":
            if self._attached:
                return
            self._attached = True
        elif name == "open":
            if self._opened or not self._attached:
                return
            self._opened = True
        elif name == "closed":
            self._ended = True
        getattr(self, f"do_{name}")(*([detail] if detail else []))

    @property
    def _is_live(self) -> bool:
        """Whether the transport may report: not after its end, or an abort."""
        return not self._ended and (not self._aborts or self._inside_abort)

    def emit(self, name: str, *what: object) -> None:
        """Log a call, and take the actions that react to it."""
        self.log.append((name, *what))
        for action in self._reactions.pop(name, ()):
            self.act(action)

    def emit_abort(self) -> None:
        """The same, for a transport that reports while it is aborted."""
        self._aborts += 1
        self._inside_abort = self._aborts == 1
        self.emit("abort")
        self._inside_abort = False


def facts(close: CloseInfo) -> tuple[object, ...]:
    """Return what can be compared: errors of two timers are different objects."""
    return close.code, close.reason, close.was_clean, close.initiator
