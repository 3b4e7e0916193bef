r"""The separators of a message: MSH-1 and MSH-2.

HL7 v2.5.1 chapter 2, section 2.5.4 (message delimiters),
https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144.

Any characters may serve; the usual ones are ``|^~\&`` and, since v2.7, a
truncation character as a fifth.  Separators are read once a message and looked up
by their role afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

from fhir_bridge.errors import BridgeError

__all__ = ["STANDARD", "Separators", "read_separators"]


@dataclass(frozen=True, slots=True)
class Separators:
    """The characters that part a message; an empty string is a role nobody plays."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""

    @property
    def encoding_characters(self) -> str:
        """MSH-2 as it is written."""
        return self.component + self.repetition + self.escape + self.subcomponent + self.truncation


STANDARD = Separators()


def read_separators(text: str) -> Separators:
    """The separators that `text`, beginning with MSH, FHS or BHS, declares.

    Raises FB-1102 when MSH-1 or MSH-2 cannot part anything: missing, a letter or
    digit, a control character, or one character in two roles.
    """
    segment = text[:3]
    field = text[3:4]
    if not _can_separate(field):
        raise BridgeError("FB-1102", f"{segment}-1")
    end = text.find(field, 4)
    line = text[4:] if end < 0 else text[4:end]
    line = line.partition("\r")[0].partition("\n")[0]
    if line == STANDARD.encoding_characters and field == "|":
        return STANDARD
    roles = line[:5]
    if not roles or len(set(roles + field)) != len(roles) + 1 or not all(map(_can_separate, roles)):
        raise BridgeError("FB-1102", f"{segment}-2")
    return Separators(field, *roles, *[""] * (5 - len(roles)))


def _can_separate(character: str) -> bool:
    """A separator is one printing character that is no letter, digit or blank."""
    return (
        len(character) == 1
        and character.isprintable()
        and not (character.isalnum() or character.isspace())
    )
