"""Background tasks: they are kept, and their crashes are reported."""

import asyncio
import gc
import weakref

import pytest

from tests.support.idle import turns
from ws_common.vocabulary.tasks import normalize_user_error, spawn


@pytest.fixture
async def reports():
    """The contexts with which the exception handler of the loop is called."""
    loop, contexts = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: contexts.append(context))
    yield contexts
    loop.set_exception_handler(None)


async def crash() -> None:
    raise ValueError("a bug")


async def test_a_crash_is_reported(reports):
    """An exception reaches the handler at once, with the name of the task."""
    spawn(crash(), "ws test")
    await turns(3)

    (context,) = reports
    assert "the task 'ws test' has crashed" == context["message"]
    assert isinstance(context["exception"], ValueError)


async def test_a_retrieved_exception_is_not_reported(reports):
    """The caller that retrieves the exception reports it as it likes."""
    task = spawn(crash(), "ws test", retrieved=True)
    await turns(3)

    assert reports == []
    assert isinstance(task.exception(), ValueError)


async def test_a_cancelled_task_is_not_reported(reports):
    """Cancelling is not a crash."""
    task = spawn(asyncio.sleep(1000), "ws test")
    await turns(1)
    task.cancel()
    await turns(3)

    assert task.cancelled()
    assert reports == []


async def test_a_task_is_kept():
    """The garbage collector does not take a task that nothing else refers to."""

    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    reference = weakref.ref(spawn(wait(), "ws test"))
    await turns(1)
    gc.collect()
    task = reference()

    assert task is not None
    task.cancel()
    await turns(2)
    assert task.cancelled()


async def test_an_exception_of_user_code():
    """An exception is returned unchanged."""
    error = ValueError("a bug")

    assert normalize_user_error(error, "a listener") is error


async def test_user_code_that_awaited_something_cancelled():
    """A cancelled future of the user's becomes an error that can be reported."""
    cancelled = asyncio.CancelledError()

    error = normalize_user_error(cancelled, "a listener")

    assert isinstance(error, RuntimeError)
    assert "something that a listener awaited was cancelled" == str(error)
    assert error.__cause__ is cancelled


async def test_a_task_that_is_cancelled_itself():
    """A cancellation of the running task is raised again."""

    async def work() -> None:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError as error:
            normalize_user_error(error, "a listener")

    task = asyncio.ensure_future(work())
    await turns(1)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
