"""What happens in a history: one event is one message, document row or interruption.

An event says which things it speaks of and what it says of each, in words of this folder
(`visit.bed`), never in those of HL7 or FHIR: the renderer makes bytes of it, the model what
is then true.  Neither knows the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["CLASSES", "NULL", "Event", "Value"]

NULL = "\N{NULL}"
"""Said in place of a value: what this source said there before is taken back."""

Value = str | tuple[str, ...]
"""A text, or the members of a list that is always said as a whole."""

CLASSES = (
    "register",
    "update-partial",
    "update-full",
    "null",
    "result",
    "correct-name",
    "correct-birth",
    "overlay",
    "merge",
    "move",
    "cancel",
    "repeat",
    "late",
    "replay",
    "killed",
)
"""Every ordered pair of these occurs in the long run (`coverage`)."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    `source` is the speaker (A and B are hospitals, C the public-health office, D the
    contract system), `act` the message event (``A08``, ``O01``, ``row`` …) and `number` the
    person's number there; `minute` is the event's own time, counted from the beginning.
    `says` holds what is said of each thing, by kind of thing; a visit, order, document,
    appointment or agreement has its number under ``number``.  `other` is the second number
    of a merge, a move or a replacement; `of` is the position of the event that is sent or
    worked on again.
    """

    klass: str
    source: str
    act: str
    number: str = ""
    minute: int = 0
    says: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    other: str = ""
    of: int = -1
    killed: bool = False
    together: bool = False

    def __str__(self) -> str:
        parts = [f"{self.source} {self.act}"]
        if self.of >= 0:
            parts.append(f"of event {self.of + 1}")
        if self.number:
            parts.append(f"person {self.number}")
        if self.other:
            parts.append(f"other {self.other}")
        if self.minute:
            parts.append(f"at {self.minute}")
        for kind, said in self.says.items():
            words = " ".join(
                f"{name}={'(null)' if value == NULL else value!r}" for name, value in said.items()
            )
            parts.append(f"{kind}: {words}")
        parts += [
            word
            for word, on in (("killed", self.killed), ("together with the next", self.together))
            if on
        ]
        return f"{self.klass}: " + "; ".join(parts)
