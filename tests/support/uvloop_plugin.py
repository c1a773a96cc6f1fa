"""Run the tests on uvloop: `pytest -p tests.support.uvloop_plugin`.

Left out is what looks into asyncio's own loop: its timers, its turns, its resolver.
"""

import uvloop

INSIDE_ASYNCIO = {
    "test_cancellation.py",
    "test_dead_address",
    "test_happy_eyeballs.py",
    "test_leaks.py",
    "test_nothing_is_left_behind",
    "test_when_the_socket_is_read",
}


def pytest_asyncio_loop_factories(config, item):
    return {"uvloop": uvloop.new_event_loop}


def pytest_collection_modifyitems(config, items):
    left_out = [
        item
        for item in items
        if {item.path.name, getattr(item, "originalname", "")} & INSIDE_ASYNCIO
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
