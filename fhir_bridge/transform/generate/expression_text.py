"""The text of a written expression, and what is known of the collection it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Kind", "Written"]

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
