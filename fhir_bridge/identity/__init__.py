"""One person, one Patient: deterministic linking of what several sources say.

``Linker.link(ledger, patient, saying)`` decides whose statement it is, ``Linker.operate``
carries out merges and moves of numbers; ``load_rules(artifacts)`` reads which identifiers may
link from ``mappings/identity*``; ``fold`` makes one Patient of several statements; ``repoint``
lets resources follow; ``decisions(store, patient_id)`` tells who was joined by which rule, and
``unlink(store, keys, number)`` takes such a decision back.
"""

from fhir_bridge.identity.deciding import Link
from fhir_bridge.identity.decisions import Decision, decisions
from fhir_bridge.identity.fold import PLACEHOLDER, fold
from fhir_bridge.identity.keys import PersonKeys, Record, person_key
from fhir_bridge.identity.linker import Linker
from fhir_bridge.identity.replaced import living, living_ids
from fhir_bridge.identity.repoint import Move, repoint, speak_of
from fhir_bridge.identity.rules import IdentityRules, VerifiedSystem, load_rules, mod11_2_holds
from fhir_bridge.identity.saying import Saying
from fhir_bridge.identity.stated_patient import StatedPatient
from fhir_bridge.identity.statements import IdentityLedger, Statement
from fhir_bridge.identity.unlink import Unlinked, unlink

__all__ = [
    "PLACEHOLDER",
    "Decision",
    "IdentityLedger",
    "IdentityRules",
    "Link",
    "Linker",
    "Move",
    "PersonKeys",
    "Record",
    "Saying",
    "StatedPatient",
    "Statement",
    "Unlinked",
    "VerifiedSystem",
    "decisions",
    "fold",
    "living",
    "living_ids",
    "load_rules",
    "mod11_2_holds",
    "person_key",
    "repoint",
    "speak_of",
    "unlink",
]
