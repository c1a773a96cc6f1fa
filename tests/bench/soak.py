"""A long run with random faults: `make soak`, or `python -m tests.bench.soak`.

Clients talk to an echo server through a proxy that cuts, resets, swallows, stalls and
refuses at random. In the end every message is accounted for: it came back, or it was
told that it may be lost. Prints a line a period, and a table.
"""

import argparse
import asyncio
import gc
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.support.fuzz_run import resident
from tests.support.server import Server
from tests.support.tcp_proxy import Direction, Fault, TcpProxy
from ws import (
    ClientEvent,
    ConnectionRetryInterval,
    Heartbeat,
    Open,
    WebSocketClient,
    WebSocketOptions,
    WSConnectionClosedError,
)

FAULTS: tuple[Fault, ...] = ("fin", "rst", "swallow", "stall")
MIB = 2**20
WARM_UP = 0.5
"""Of the time, until histories are full and memory is taken for flat or not."""

MAY_GROW = 8 * MIB


@dataclass
class Account:
    """The messages that one client has sent, and their outcomes."""

    sent: int = 0
    refused: int = 0
    returned: int = 0
    lost: int = 0
    unconfirmed: int = 0
    disorder: int = 0
    connections: int = 0
    events: Counter[str] = field(default_factory=Counter)
    _last: int = -1
    _waiting: set[int] = field(default_factory=set)

    def on_event(self, event: ClientEvent) -> None:
        self.events[event.name] += 1
        if event.name == "messages_unconfirmed":
            self.unconfirmed += event.details["count"]

    def sending(self, number: int) -> None:
        self.sent += 1
        self._waiting.add(number)

    def came_back(self, number: int) -> None:
        self.returned += 1
        self.disorder += number <= self._last or number not in self._waiting
        self._last = number
        # An echo is in order: what is older has been lost.
        self.lost += sum(older < number for older in self._waiting)
        self._waiting = {other for other in self._waiting if other > number}

    def refuse(self, number: int) -> None:
        self.refused += 1
        self._waiting.discard(number)

    def close(self) -> None:
        self.lost += len(self._waiting)
        self._waiting.clear()


async def live(url: str, account: Account, until: float) -> WebSocketClient:
    """Send and receive until the time is over."""
    interval = ConnectionRetryInterval(min=0.02, max=0.2, min_uptime=0.1)
    options = WebSocketOptions.vm(
        connection_retry_interval=interval,
        heartbeat=Heartbeat(interval=0.5, timeout=0.5),
        timeout=1,
        close_timeout=0.5,
        proxy=None,
        on_event=account.on_event,
    )
    loop = asyncio.get_running_loop()
    client = WebSocketClient(options)
    await client.connect(url)
    reading = asyncio.ensure_future(_read(client, account))
    for number in _numbers():
        if loop.time() > until:
            break
        account.sending(number)
        try:
            await client.add(f"{number}:" + "x" * random.randrange(2000))
        except WSConnectionClosedError:
            account.refuse(number)  # it may have gone all the same
            account.events["add() raised"] += 1
        await asyncio.sleep(0.005)
    await asyncio.sleep(1)
    await client.close()
    await reading
    account.close()
    account.connections = sum(isinstance(entry.state, Open) for entry in client.history)
    return client


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


async def _read(client: WebSocketClient, account: Account) -> None:
    async for message in client:
        account.came_back(int(str(message).partition(":")[0]))


async def torment(proxy: TcpProxy, faults: Counter[str], until: float) -> None:
    """Cause a fault from time to time, but none in the last second."""
    loop = asyncio.get_running_loop()
    while loop.time() < until - 1:
        await asyncio.sleep(random.uniform(0.05, 0.6))
        fault = random.choice([*FAULTS, "refuse", "limit", "cut"])
        faults[fault] += 1
        proxy.down = Direction()
        if fault == "refuse":
            proxy.refuse()
            proxy.inject("rst")
            await asyncio.sleep(0.3)
            await proxy.accept()
        elif fault == "limit":
            proxy.down = Direction(delay=0.01, rate=200_000)
        elif fault == "cut":
            proxy.down = Direction(after=random.randrange(5000), then="rst")
        elif links := list(proxy.links):
            random.choice(links).inject(fault)
    proxy.down = Direction()


async def soak(seconds: float, clients: int, port: int) -> int:
    """Run it, and return the exit code."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    faults: Counter[str] = Counter()
    accounts = [Account() for _ in range(clients)]
    tasks_before = len(asyncio.all_tasks())
    memory: list[int] = []
    async with TcpProxy(port) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/echo"
        async with asyncio.TaskGroup() as group:
            for account in accounts:
                group.create_task(live(url, account, until))
            group.create_task(torment(proxy, faults, until))
            group.create_task(_watch(memory, accounts, until, seconds / 20))
    await asyncio.sleep(0.1)
    gc.collect()
    left = len(asyncio.all_tasks()) - tasks_before
    return _report(accounts, faults, memory, left)


async def _watch(
    memory: list[int], accounts: list[Account], until: float, every: float
) -> None:
    loop, began = asyncio.get_running_loop(), time.monotonic()
    while loop.time() < until:
        await asyncio.sleep(every)
        gc.collect()
        memory.append(resident())
        returned = sum(account.returned for account in accounts)
        passed = time.monotonic() - began
        _say(f"{passed:6.0f} s  {memory[-1] / MIB:7.1f} MiB  {returned} came back")


def _report(
    accounts: list[Account], faults: Counter[str], memory: list[int], left: int
) -> int:
    names = ("sent", "returned", "lost", "refused", "unconfirmed", "disorder")
    totals = {name: sum(getattr(one, name) for one in accounts) for name in names}
    totals["connections in history"] = sum(one.connections for one in accounts)
    events = sum((one.events for one in accounts), Counter[str]())
    settled = memory[int(len(memory) * WARM_UP) :] or [0]
    grown = settled[-1] - settled[0]
    balance = totals["sent"] - sum(
        totals[name] for name in ("returned", "lost", "refused")
    )
    found = {
        "nothing is unaccounted for": balance == 0,
        "what came back was in order": totals["disorder"] == 0,
        "what is lost was announced": totals["lost"] <= totals["unconfirmed"],
        "memory is flat": grown < MAY_GROW,
        "no task is left": left == 0,
    }
    rows = [*totals.items(), *sorted(faults.items()), *sorted(events.items())]
    _say("\n| what | count |\n|---|---|")
    _say("\n".join(f"| {name} | {count} |" for name, count in rows))
    _say(f"| memory after warm-up | {settled[0] / MIB:.1f} MiB |")
    _say(f"| memory at the end | {settled[-1] / MIB:.1f} MiB |")
    _say(
        "\n".join(f"| {name} | {'yes' if so else 'NO'} |" for name, so in found.items())
    )
    return 0 if all(found.values()) else 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args()
    random.seed(asked.seed)
    with Server() as server:
        return asyncio.run(soak(asked.seconds, asked.clients, server.port))


if __name__ == "__main__":
    sys.exit(main())
