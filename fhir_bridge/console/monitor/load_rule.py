"""How many residents a family doctor may sign: a number of the place, not of the program.

``mappings/load-rule.toml``; a site's overlay replaces it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from fhir_bridge.artifacts import Artifacts

__all__ = ["LoadRule", "read_load_rule"]


@dataclass(frozen=True, slots=True)
class LoadRule:
    """The limits of the place."""

    persons_per_doctor: int = 600


def read_load_rule(artifacts: Artifacts) -> LoadRule:
    """The rule of the product or of the site's overlay."""
    path = artifacts.find("mappings/load-rule.toml")
    if path is None:
        return LoadRule()
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return LoadRule(int(data.get("persons_per_doctor", 600)))
