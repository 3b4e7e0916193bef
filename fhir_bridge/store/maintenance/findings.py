"""What a check found: bounded, counted, and told as issues."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fhir_bridge.errors import Issue

__all__ = ["Findings"]

_MAX_OF_A_KIND = 200


@dataclass(slots=True)
class Findings:
    """The first findings of each code, and how many there are.

    `reported` are (code, type, id, details of the sentence); `counts` is by code.
    """

    reported: list[tuple[str, str, str, dict[str, str]]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def note(self, code: str, resource_type: str, id_: str, **details: str) -> None:
        """Counts a finding, and keeps it while there are few of its kind."""
        count = self.counts[code] = self.counts.get(code, 0) + 1
        if count <= _MAX_OF_A_KIND:
            self.reported.append((code, resource_type, id_, details))

    def issues(self) -> Iterator[Issue]:
        """An issue for each finding that was kept, in the order met."""
        for code, resource_type, id_, details in self.reported:
            known = {"resource_type": resource_type, "id": id_, **details}
            yield Issue(code, "error", f"{resource_type}/{id_}", known)
