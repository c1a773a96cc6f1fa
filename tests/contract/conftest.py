"""Fixtures of the contract suite, the same on every platform."""

from tests.support.fixtures import connect, key, platform, server

__all__ = ["connect", "key", "platform", "server"]
