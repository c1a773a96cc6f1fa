"""The log: changes of state at INFO, the rest at DEBUG, and no secrets anywhere."""

import asyncio
import logging
import pickle

import pytest
from looptime import LoopTimeProxy

import ws
from tests.support.client_driver import URL, begin, driven, opened
from tests.support.fake_transport import FakeConnector
from tests.support.idle import until_idle

pytestmark = pytest.mark.looptime

clock = LoopTimeProxy()

FIXED = {"connection_retry_interval": (2, 2), "close_timeout": 3}


@pytest.fixture
def lines(caplog):
    """Return what was logged at INFO and above since the last call."""
    caplog.set_level(logging.DEBUG, "ws")

    def take() -> list[str]:
        said = [record.getMessage() for record in caplog.records
                if record.levelno >= logging.INFO]  # fmt: skip
        caplog.clear()
        return said

    return take


async def test_a_loss(lines):
    """Each change is one line: what happened, why, and what comes next."""
    connector = FakeConnector()
    async with opened(connector, **FIXED) as (_, transport):
        transport.closed()
        assert lines() == [
            "connecting to ws://host/: attempt 1 (connect)",
            "connection 1 to ws://host/ is open",
            (
                "connection 1 to ws://host/ lost (network_lost: 1006 ABNORMAL_CLOSURE)"
                ": trying again in 2.00 s (attempt 2)"
            ),
        ]
        (await connector.next()).refuse()
        await until_idle()
        assert lines() == [], "one line says that the client is trying"
        for _ in range(28):
            (await connector.next()).refuse()
        assert lines() == [], "it is not a minute yet"
        (await connector.next()).refuse()
        await until_idle()
        (line,) = lines()
        assert line.startswith("attempt 31 failed (attempt_failed: could not connect")
        assert line.endswith("no server there): trying again in 2.00 s (attempt 32)")
        (await connector.next()).open()
        await until_idle()
        assert lines() == ["connection 2 to ws://host/ is open again after 62.0 s"]


async def test_closings(lines):
    """A closing names who closes, the code and the reason."""
    connector = FakeConnector()
    async with opened(connector, **FIXED) as (client, transport):
        lines()
        transport.closing(1012, "deploy")
        transport.closed(1012, "deploy")
        assert lines() == [
            (
                "connection 1 to ws://host/ is being closed by the peer (peer_closing: "
                "1012 SERVICE_RESTART 'deploy')"
            ),
            (
                "connection 1 to ws://host/ ended (peer_closed: 1012 SERVICE_RESTART "
                "'deploy'): trying again in 2.00 s (attempt 2)"
            ),
        ]
        second = await connector.opened()
        lines()
        asked = begin(client.close())
        await until_idle()
        second.closed(1000, initiator="local")
        await asked
        assert lines() == [
            "connection 2 to ws://host/ is being closed (close: 1000 NORMAL_CLOSURE)",
            (
                "connection 2 to ws://host/ ended (closed: 1000 NORMAL_CLOSURE): "
                "closed permanently"
            ),
        ]


async def test_calls(lines):
    """Calls of the program are named as causes of what happens."""
    connector = FakeConnector()
    async with opened(connector, protocols=["v1"], **FIXED) as (client, _):
        asked = begin(client.connect(lambda _: URL))
        attempt = await connector.next()
        attempt.early().protocol = "v1"
        attempt.open()
        await asked
        assert lines()[2:] == [
            (
                "connection 1 to ws://host/ is replaced by a new one "
                "(connect: 1000 NORMAL_CLOSURE)"
            ),
            "connecting to a URL that the provider is asked for: attempt 1 (replaced)",
            "connecting to ws://host/: attempt 1 (url_resolved)",
            "connection 2 to ws://host/ is open, speaking v1",
        ]
        asked = begin(client.reconnect())
        await connector.next()
        asked.cancel()
        await until_idle()
        assert lines()[-1] == (
            "attempt 1 stopped (cancelled): idle until connect() is called"
        )


async def test_levels(caplog):
    """Every logger is below `ws`, and details are logged at DEBUG."""
    caplog.set_level(logging.DEBUG)
    connector = FakeConnector()
    async with opened(connector, heartbeat=ws.Heartbeat(2, 1)) as (client, _):
        await client.state_changes.closed.first()
    ours = [record for record in caplog.records if record.name != "asyncio"]
    assert {record.name.partition(".")[0] for record in ours} == {"ws"}
    missed = [record for record in ours if "heartbeat_missed" in record.getMessage()]
    assert [record.levelname for record in missed] == ["DEBUG"]
    levels = [
        (record.levelname, record.getMessage().split()[0])
        for record in ours
        if record.getMessage().startswith(("connecting", "connection"))
    ]
    assert levels == [
        ("INFO", "connecting"),
        ("INFO", "connection"),
        ("WARNING", "connection"),
        ("INFO", "connection"),
    ]


async def test_a_name(caplog):
    """It begins each line, and is with every report."""
    caplog.set_level(logging.DEBUG, "ws")
    events: list[ws.ClientEvent] = []
    connector = FakeConnector()
    given = {"name": "prices", "on_event": events.append}
    async with opened(connector, **given) as (client, transport):
        transport.closed()
        await until_idle()
        assert client.explain().startswith("prices: Closed")
        assert client.metrics.client_name == "prices"
    assert {event.client_name for event in events} == {"prices"}
    assert all(record.getMessage().startswith("prices: ") for record in caplog.records)


SECRET = "hunter2"  # noqa: S105 - it is what must not be seen
SECRET_URL = f"wss://joe:{SECRET}@host/chat?token={SECRET}"


class Everything:
    """Everything that a client shows, in every form in which it can be printed."""

    def __init__(self) -> None:
        self.client: ws.WebSocketClient
        self.said: list[str] = []

    def add(self, thing: object) -> None:
        self.said += [repr(thing), str(thing)]

    def look(self) -> None:
        client = self.client
        for thing in (client, client.explain(), client.metrics, client.history):
            self.add(thing)
        self.add(client.metrics.to_json())

    async def live(self, connector: FakeConnector, target, error=None) -> None:
        """Let an attempt fail, then connect, then lose the connection."""
        asked = begin(self.client.connect(target))
        (await connector.next()).refuse(error)
        await until_idle()
        self.look()
        again = begin(self.client.reconnect())
        self.add(raised := await error_of(asked))
        self.add(pickle.dumps(raised))
        transport = await connector.opened()
        await again
        self.add(await anext(self.client.sessions()))
        self.look()
        transport.closing(1008, "no")
        self.look()
        transport.closed(1008, "no")
        self.look()


async def test_no_secrets(caplog):
    """Credentials in URL and headers are in no log, state, error, event or figure."""
    caplog.set_level(logging.DEBUG)
    seen, connector = Everything(), FakeConnector()
    options = connector.options(
        headers={"Authorization": f"Bearer {SECRET}", "Cookie": f"id={SECRET}"},
        connection_retry_interval=ws.ConnectionRetryInterval(min=1, max_attempts=3),
        on_event=seen.add,
        timeout=7,
    )
    seen.add(options)
    seen.client = client = ws.WebSocketClient(options)
    states = client.state_changes.subscribe()
    refused = ws.WSHandshakeError("no", status=401, headers={"x": "y"})
    await seen.live(connector, SECRET_URL)
    await seen.live(connector, lambda _: SECRET_URL, refused)
    seen.add(await error_of(begin(client.connect(SECRET_URL))))  # every one too late
    seen.look()
    for bad in (SECRET_URL.replace("wss", "http"), SECRET_URL + " ", SECRET_URL + "#x"):
        seen.add(await error_of(begin(client.connect(bad))))
    await client.close()
    seen.add([state async for state in states])
    seen.said += [caplog.text, *(repr(vars(record)) for record in caplog.records)]
    assert len(seen.said) > 100
    assert [text for text in seen.said if SECRET in text] == []


async def error_of(asked):
    await asyncio.wait({asked})
    return asked.exception()


async def test_a_hook_that_raises(lines):
    """Its error is logged, and the client goes on."""

    def hook(_: ws.ClientEvent) -> None:
        raise LookupError("hook")

    connector = FakeConnector()
    async with driven(connector, on_event=hook) as client:
        asked = begin(client.connect(URL))
        await connector.opened()
        await asked
        assert client.state.is_open
    assert "on_event raised while it was handed state_changed" in lines()
