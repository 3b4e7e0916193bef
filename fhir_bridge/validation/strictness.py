"""What R4 leaves to whoever validates: how much of it is asked.

https://hl7.org/fhir/R4/validation.html, https://hl7.org/fhir/R4/extensibility.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["LENIENT", "Answer", "Strictness"]

Answer = Literal["allowed", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Strictness:
    """Each answer says what comes of it: nothing, a warning, or a refusal."""

    unknown_extensions: Answer = "allowed"
    """Extensions without a definition here; those of HL7 outside of R4 and examples are never refused."""
    unknown_codes: Answer = "warning"
    """Codes that their system, known whole here, does not have; units by UCUM, languages by BCP 47."""
    wrong_displays: Answer = "allowed"
    """Displays that are no name of the code in its system: senders write them in their own words."""
    relative_canonicals: bool = True
    """Whether a canonical may be relative, as in many of R4's own examples."""
    dead_links: bool = True
    """Whether a link of a narrative may lead nowhere: into itself, or by a scheme that nobody follows."""
    examples: bool = True
    """Whether addresses of the domains that are kept for examples may stand in a record."""
    markup: bool = True
    """Whether a string or a markdown may hold what looks like an element of HTML."""


LENIENT = Strictness()
"""What the service asks of records."""
