"""Run the tests under eager tasks: `pytest -p tests.support.eager_plugin`.

A program may choose such tasks, and then a task begins, and may end, in the very call
that makes it. From Python 3.12 on they are asyncio's own; see
`tests.support.eager_tasks`.
"""

import asyncio

from tests.support.eager_tasks import eager_task_factory


def pytest_asyncio_loop_factories(config, item):
    return {"eager": _new_event_loop}


def _new_event_loop():
    loop = asyncio.new_event_loop()
    loop.set_task_factory(eager_task_factory)
    return loop
