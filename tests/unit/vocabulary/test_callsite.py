"""The line of the application that created an object."""

from ws_common.vocabulary.callsite import find_callsite


def call_from(module: str) -> str:
    """Call `find_callsite` in code that belongs to this module."""
    source = "def call():\n    return find_callsite()\n"
    namespace = {"__name__": module, "find_callsite": find_callsite}
    # In angle brackets, as for code without a file: coverage looks for no source then.
    exec(compile(source, f"<{module}>", "exec"), namespace)  # noqa: S102 - our own
    return namespace["call"]()


def test_line_of_the_caller():
    """Code outside of the package is named with its file and line."""
    assert "<application.main>:2" == call_from("application.main")


def test_frames_of_the_package_are_skipped():
    """Frames of the package's own modules are skipped."""
    assert call_from("ws_common.client").startswith(f"{__file__}:")


def test_similar_names_are_not_skipped():
    """A module of an application may have a name that begins like a package's."""
    assert "<ws_application>:2" == call_from("ws_application")
