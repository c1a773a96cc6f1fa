"""Every example in a docstring runs, and every public class has one."""

import doctest
import importlib
import inspect
import pkgutil
from concurrent.futures import ThreadPoolExecutor

import pytest

import ws
import ws.testing
import ws_common

MODULES = [
    *(f"ws_common.{found.name}" for found in pkgutil.iter_modules(ws_common.__path__)),
    "ws.testing",
    "ws_vm.run",
]

FINDER = doctest.DocTestFinder(exclude_empty=True)

# What a program meets and does not make: the docstring of what gives it has the example.
MET = {
    name
    for name, thing in vars(ws).items()
    if name.startswith("WS") and name != "WSInterceptor"
}


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    """The examples of a module do what they say."""
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in FINDER.find(module, module.__name__):
        test.globs.update(vars(ws), ws=ws)
        report: list[str] = []
        # In a thread, where `asyncio.run` in an example has no loop to disturb.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(runner.run, test, out=report.append).result()
        assert not report, "".join(report)


@pytest.mark.parametrize(
    "name",
    sorted(
        name
        for name in ws.__all__
        if inspect.isclass(getattr(ws, name)) and name not in MET
    ),
)
def test_public_classes_have_examples(name):
    """A person learns a class from an example that runs."""
    doc = inspect.getdoc(getattr(ws, name)) or ""
    assert ">>>" in doc
