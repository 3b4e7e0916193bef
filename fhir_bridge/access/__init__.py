"""Who may see what: the caller, what an app was given, and the one value every query obeys.

`caller` says who asks, `scope` what their app may do for them
(https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html), `grant` and `access`
what of the record that comes to, `compartment` what is of a patient,
`roles` and `conditions` what is given to whom and when, all three read from ``profiles/access``.  A caller is made where people
and apps sign in; an access is made of it once a request, and is applied inside every query.
"""

from fhir_bridge.access.access import Access
from fhir_bridge.access.caller import Caller, Role
from fhir_bridge.access.compartment import Compartment, Rule, load_compartment, shared_types
from fhir_bridge.access.conditions import Conditions, filled, load_conditions, moments
from fhir_bridge.access.grant import ALL, READING, Grant, Limit, Query, Related
from fhir_bridge.access.roles import REACHES, RoleGrant, RolePolicy, load_roles, read_query
from fhir_bridge.access.scope import ResourceScope, Scopes, read_scopes

__all__ = [
    "ALL",
    "REACHES",
    "READING",
    "Access",
    "Caller",
    "Compartment",
    "Conditions",
    "Grant",
    "Limit",
    "Query",
    "Related",
    "ResourceScope",
    "Role",
    "RoleGrant",
    "RolePolicy",
    "Rule",
    "Scopes",
    "filled",
    "load_compartment",
    "load_conditions",
    "load_roles",
    "moments",
    "read_query",
    "read_scopes",
    "shared_types",
]
