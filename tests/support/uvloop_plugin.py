"""Run the tests on uvloop: `pytest -p tests.support.uvloop_plugin`."""

import uvloop


def pytest_asyncio_loop_factories(config, item):
    return {"uvloop": uvloop.new_event_loop}
