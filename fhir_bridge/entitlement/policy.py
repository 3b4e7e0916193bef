"""The policy of a site, read once: roles, searches, and what is of a patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fhir_bridge.access import (
    Compartment,
    Conditions,
    RolePolicy,
    load_compartment,
    load_conditions,
    load_roles,
)
from fhir_bridge.artifacts import Artifacts

__all__ = ["Policy"]


@dataclass(frozen=True, slots=True)
class Policy:
    """What ``profiles/access`` says."""

    roles: Mapping[str, RolePolicy]
    conditions: Conditions
    compartment: Compartment

    @classmethod
    def load(cls, artifacts: Artifacts) -> Policy:
        """The files of the product with those of a site over them.

        Raises BridgeError FB-7601 naming what cannot be used.
        """
        return cls(load_roles(artifacts), load_conditions(artifacts), load_compartment(artifacts))
