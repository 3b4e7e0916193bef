"""The text of a written expression, and what is known of the collection it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from fhir_bridge.fhirpath.form import Form

__all__ = ["Kind", "PartWriter", "Written"]

Kind = Literal["sure", "truth", "one", "many"]
"""What a text gives: True or False; those or None; one item or None; any collection."""


@dataclass(frozen=True, slots=True)
class Written:
    """A Python expression, and what it gives."""

    text: str
    kind: Kind

    @property
    def truth(self) -> str:
        """As True, False or None."""
        return self.text if self.kind in {"sure", "truth"} else f"truth({self.text})"

    @property
    def there(self) -> str:
        """Whether anything is there."""
        if self.kind == "many":
            return f"there({self.text})"
        return f"({self.text} is not None)"


class PartWriter(Protocol):
    """Writes the parts of one expression; `keeps`: whether what is written is the answer."""

    keeps: bool

    def bind(self, value: Any, stem: str = "x") -> str:
        """A name for `value` in the text."""

    def write(self, form: Form, *, keeps: bool = False) -> Written:
        """The text of any form, on the ``$this`` around it."""

    def function(self, form: Form, *, is_test: bool) -> str:
        """The name of a function ``(run, frame, node, index)`` for a lambda."""
