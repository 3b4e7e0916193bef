"""Who may see what: the caller, what an app was given, and the one value every query obeys.

`caller` says who asks, `scope` what their app may do for them
(https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html), and `access` what of
the record that comes to.  A caller is made where people and apps sign in; an access is made of
it once a request, and is applied inside every query.
"""

from fhir_bridge.access.access import SHARED_TYPES, Access
from fhir_bridge.access.caller import Caller, Role
from fhir_bridge.access.scope import ResourceScope, Scopes, read_scopes

__all__ = ["SHARED_TYPES", "Access", "Caller", "ResourceScope", "Role", "Scopes", "read_scopes"]
