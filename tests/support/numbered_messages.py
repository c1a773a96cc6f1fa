"""Numbered messages of the test server, which cuts TCP after some of them.

/count-up        sends the numbers below ?upto= one after the other, over all
                 connections with the same ?key=; cuts with a reset after each
                 ?after= of them, ?cuts= times
/store-numbers   stores the numbers that arrive, by ?key=; cuts likewise
/stored-numbers  as JSON, what was sent and stored for this ?key=, by connection
"""

import json
from collections import defaultdict

from websockets.frames import Frame, Opcode

from tests.support.raw_peer import READ_SIZE, Peer

NumbersByKey = defaultdict[str, list[list[int]]]
"""By key, and within it by connection."""


class Numbered:
    """The part of `Behaviours` for numbered messages."""

    def __init__(self) -> None:
        self._sent: NumbersByKey = defaultdict(list)
        self._stored: NumbersByKey = defaultdict(list)

    async def do_count_up(self, peer: Peer) -> None:
        upto = int(peer.query["upto"])
        connections, numbers = self._begin(peer, self._sent)
        next_one = max((one[-1] + 1 for one in connections if one), default=0)
        peer.accept()
        await peer.flush()
        for index in range(next_one, upto):
            peer.text(str(index))
            numbers.append(index)
            if len(numbers) % 50 == 0:
                await peer.flush()
            if self._is_due(peer, connections):
                return
        await peer.drain()

    async def do_store_numbers(self, peer: Peer) -> None:
        connections, numbers = self._begin(peer, self._stored)
        peer.accept()
        await peer.flush()
        while data := await peer.reader.read(READ_SIZE):
            peer.protocol.receive_data(data)
            for frame in peer.protocol.events_received():
                if isinstance(frame, Frame) and frame.opcode is Opcode.TEXT:
                    numbers.append(int(frame.data))
            if self._is_due(peer, connections):
                return
            await peer.flush()  # only now: a Pong confirms what was stored

    async def do_stored_numbers(self, peer: Peer) -> None:
        key = peer.query["key"]
        peer.accept()
        peer.text(json.dumps({"sent": self._sent[key], "stored": self._stored[key]}))
        await peer.drain()

    def _begin(
        self, peer: Peer, by_key: NumbersByKey
    ) -> tuple[list[list[int]], list[int]]:
        connections, numbers = by_key[peer.query["key"]], list[int]()
        connections.append(numbers)
        return connections, numbers

    def _is_due(self, peer: Peer, connections: list[list[int]]) -> bool:
        """Cut the connection, if it is time to."""
        after, cuts = int(peer.query["after"]), int(peer.query["cuts"])
        due = len(connections) <= cuts and len(connections[-1]) >= after
        if due:
            peer.drop()
        return due
