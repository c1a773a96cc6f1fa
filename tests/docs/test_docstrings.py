"""Every example in a docstring runs, and every public class has one."""

import doctest
import importlib
import inspect
import pickle
import pkgutil
from concurrent.futures import ThreadPoolExecutor

import pytest

import ws
import ws.testing
import ws_common

MODULES = [
    *(found.name for found in pkgutil.walk_packages(ws_common.__path__, "ws_common.")),
    "ws.testing",
    "ws_vm.run",
]

# Their `__module__` is `ws`: the modules that define them do not count them as theirs.
CLASSES = sorted(name for name in ws.__all__ if inspect.isclass(getattr(ws, name)))

FINDER = doctest.DocTestFinder(exclude_empty=True)

# What a program meets and does not make: what gives it has the example.
MET = {name for name in CLASSES if name.startswith("WS") and name != "WSInterceptor"}


def run(tests: list[doctest.DocTest]) -> str:
    """Run examples; returns what there is to complain about."""
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    report: list[str] = []
    for test in tests:
        test.globs.update(vars(ws), ws=ws)
        # In a thread, where `asyncio.run` in an example has no loop to disturb.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(runner.run, test, out=report.append).result()
    return "".join(report)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    """The examples of a module do what they say."""
    assert "" == run(FINDER.find(importlib.import_module(name), name))


@pytest.mark.parametrize("name", CLASSES)
def test_examples_of_public_classes(name):
    """The examples of a class and of its methods do what they say."""
    found = FINDER.find(getattr(ws, name), name, module=False)
    # What is private was inherited: a number's docstring, where an enum is one.
    assert "" == run([test for test in found if "._" not in test.name])


@pytest.mark.parametrize("name", sorted({*CLASSES} - MET))
def test_public_classes_have_examples(name):
    """A person learns a class from an example that runs."""
    doc = inspect.getdoc(getattr(ws, name)) or ""
    assert ">>>" in doc


@pytest.mark.parametrize("name", CLASSES)
def test_public_name(name):
    """A traceback shows the name that a program uses, and a pickle keeps it."""
    kind = getattr(ws, name)

    assert f"ws.{name}" == f"{kind.__module__}.{kind.__qualname__}"
    assert pickle.loads(pickle.dumps(kind)) is kind  # noqa: S301 - our own
