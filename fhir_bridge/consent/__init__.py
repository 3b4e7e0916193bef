"""What a person's Consents let through: who, what, why and when

Read in this order: `provision` (a Consent as a value), `codes` (which codes lie below others),
`request` (who asks, why, when), `criteria` (which resources a provision speaks of), `rules` (the
provisions that concern a request, in order), `policy` (what holds where no Consent speaks) and
`decision` (the answer, for one resource or as rules for a query), `residual` (as IHE's token).
"""

from fhir_bridge.consent.codes import ACT_REASON, BREAK_GLASS, Code
from fhir_bridge.consent.criteria import Criteria
from fhir_bridge.consent.decision import Decision, Verdict, decide
from fhir_bridge.consent.policy import POLICIES, Policy
from fhir_bridge.consent.provision import Consent, read_consent
from fhir_bridge.consent.request import ConsentRequest
from fhir_bridge.consent.residual import residual
from fhir_bridge.consent.rules import Rule

__all__ = [
    "ACT_REASON",
    "BREAK_GLASS",
    "POLICIES",
    "Code",
    "Consent",
    "ConsentRequest",
    "Criteria",
    "Decision",
    "Policy",
    "Rule",
    "Verdict",
    "decide",
    "read_consent",
    "residual",
]
