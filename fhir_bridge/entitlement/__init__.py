"""What a caller is entitled to now: their roles, looked up in the record, cut by the scopes of an app.

Read in this order: `agreements` (in force on a day: asked by everybody), `guardians`, `teams`,
`entitled`.  The rules are data (`fhir_bridge.access`); here it is found out whom they reach.
"""

from fhir_bridge.entitlement.agreements import Agreements
from fhir_bridge.entitlement.entitled import Entitlements, EntitlementSettings, entitled
from fhir_bridge.entitlement.policy import Policy

__all__ = ["Agreements", "EntitlementSettings", "Entitlements", "Policy", "entitled"]
