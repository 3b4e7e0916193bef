"""SMART App Launch 2.2: how apps are let at the record.

https://hl7.org/fhir/smart-app-launch/STU2.2/.  `scope` reads what an app asks for.
"""

from __future__ import annotations

from .scope import ResourceScope, Scopes, read_scopes

__all__ = ["ResourceScope", "Scopes", "read_scopes"]
