"""One person, one Patient: deterministic linking of what several sources say.

``Linker.link(transaction, patient, feed)`` decides; ``load_rules(artifacts)`` reads which
identifiers may link from ``mappings/identity.toml``; ``fold`` makes one Patient of several
statements; ``decisions(store, patient_id)`` tells who was joined by which rule, and
``unlink(store, keys, number)`` takes such a decision back.
"""

from fhir_bridge.identity.decisions import Decision, decisions
from fhir_bridge.identity.fold import Statement, fold
from fhir_bridge.identity.keys import PersonKeys
from fhir_bridge.identity.linker import Link, Linker
from fhir_bridge.identity.rules import IdentityRules, VerifiedSystem, load_rules, mod11_2_holds
from fhir_bridge.identity.statements import IdentityLedger
from fhir_bridge.identity.unlink import Unlinked, unlink

__all__ = [
    "Decision",
    "IdentityLedger",
    "IdentityRules",
    "Link",
    "Linker",
    "PersonKeys",
    "Statement",
    "Unlinked",
    "VerifiedSystem",
    "decisions",
    "fold",
    "load_rules",
    "mod11_2_holds",
    "unlink",
]
