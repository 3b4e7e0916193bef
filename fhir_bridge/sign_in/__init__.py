"""Where people sign in and let apps at the record: pages, and the endpoints that apps use.

Read in this order: `gate` (who asks), `blueprint` (the routes), `page` (what pages share),
`entering` (sign-in, second factor, set-up, account), `deciding` (whose record, what, whether),
`my_apps`, `registering` (an operator's apps), `oauth` (tokens, keys, metadata), `whose` (whose record a number names).
"""

from fhir_bridge.sign_in.blueprint import create_sign_in
from fhir_bridge.sign_in.gate import Gate
from fhir_bridge.sign_in.page import with_query
from fhir_bridge.sign_in.services import SignInServices
from fhir_bridge.sign_in.whose import STAFF, patient_with, practitioner_with

__all__ = [
    "STAFF",
    "Gate",
    "SignInServices",
    "create_sign_in",
    "patient_with",
    "practitioner_with",
    "with_query",
]
