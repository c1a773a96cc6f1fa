"""Fixtures of the tests that run the examples of the docs."""

from tests.support.no_loop import no_loop_of_its_own

__all__ = ["no_loop_of_its_own"]
