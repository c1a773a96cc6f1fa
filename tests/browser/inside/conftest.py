"""The fixtures of the contract suite, for what only a browser has."""

from tests.support.fixtures import connect, key, platform, server

__all__ = ["connect", "key", "platform", "server"]
