"""All targets by name."""

from __future__ import annotations

from tests.fuzz.messages import MESSAGES
from tests.fuzz.requests import REQUESTS
from tests.fuzz.target import Target
from tests.fuzz.texts import TEXTS

__all__ = ["TARGETS"]

TARGETS: dict[str, Target] = {each.name: each for each in (*MESSAGES, *TEXTS, *REQUESTS)}
