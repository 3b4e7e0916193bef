"""Interactions are tested through the API, over the same small server."""

from tests.api.conftest import client, either, world

__all__ = ["client", "either", "world"]
