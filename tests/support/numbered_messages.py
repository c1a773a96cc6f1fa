"""What the test server does with numbered messages, and where it cuts TCP.

/count-up   sends the numbers below ?upto= one after the other, over all
connections with the same ?key=; cuts with a reset after each
?after= of them, ?cuts= times
/note-down  notes the numbers that arrive, by ?key=; cuts likewise
/noted      as JSON, what was sent and noted for this ?key=, by connection
"""

import json
from collections import defaultdict

from websockets.frames import Frame, Opcode

from tests.support.raw_peer import READ_SIZE, Peer

Runs = defaultdict[str, list[list[int]]]
"""By key, and within it by connection."""


class Numbered:
    """A part of `Behaviours`."""

    def __init__(self) -> None:
        self._sent: Runs = defaultdict(list)
        self._noted: Runs = defaultdict(list)

    async def do_count_up(self, peer: Peer) -> None:
        upto = int(peer.query["upto"])
        runs, run = self._begin(peer, self._sent)
        next_one = max((one[-1] + 1 for one in runs if one), default=0)
        peer.accept()
        await peer.flush()
        for index in range(next_one, upto):
            peer.text(str(index))
            run.append(index)
            if len(run) % 50 == 0:
                await peer.flush()
            if self._is_due(peer, runs):
                return
        await peer.drain()

    async def do_note_down(self, peer: Peer) -> None:
        runs, run = self._begin(peer, self._noted)
        peer.accept()
        await peer.flush()
        while data := await peer.reader.read(READ_SIZE):
            peer.protocol.receive_data(data)
            for frame in peer.protocol.events_received():
                if isinstance(frame, Frame) and frame.opcode is Opcode.TEXT:
                    run.append(int(frame.data))
            if self._is_due(peer, runs):
                return
            await peer.flush()  # only now: a Pong confirms what was noted

    async def do_noted(self, peer: Peer) -> None:
        key = peer.query["key"]
        peer.accept()
        peer.text(json.dumps({"sent": self._sent[key], "noted": self._noted[key]}))
        await peer.drain()

    def _begin(self, peer: Peer, by_key: Runs) -> tuple[list[list[int]], list[int]]:
        runs, run = by_key[peer.query["key"]], list[int]()
        runs.append(run)
        return runs, run

    def _is_due(self, peer: Peer, runs: list[list[int]]) -> bool:
        """Cut the connection, if it is time to."""
        after, cuts = int(peer.query["after"]), int(peer.query["cuts"])
        due = len(runs) <= cuts and len(runs[-1]) >= after
        if due:
            peer.drop()
        return due
