"""One person, one Patient: deterministic linking of what several sources say.

``Linker.link(transaction, patient, feed)`` decides; ``load_rules(artifacts)`` reads which
identifiers may link from ``mappings/identity.toml``; ``fold`` makes one Patient of several
statements.
"""

from fhir_bridge.identity.fold import Statement, fold
from fhir_bridge.identity.linker import IdentityLedger, Link, Linker
from fhir_bridge.identity.rules import IdentityRules, VerifiedSystem, load_rules, mod11_2_holds

__all__ = [
    "IdentityLedger",
    "IdentityRules",
    "Link",
    "Linker",
    "Statement",
    "VerifiedSystem",
    "fold",
    "load_rules",
    "mod11_2_holds",
]
