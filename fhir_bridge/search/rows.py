"""What one resource contributes to the index, as plain values the store can write in bulk."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["NO_DATE", "IndexRows"]

NO_DATE = -(1 << 40)
"""Sort date (milliseconds) of a resource without one, in a type that has a main date."""


@dataclass(slots=True)
class IndexRows:
    """Rows by table, without the number of the resource they belong to.

    `date` is the sort date in milliseconds since 1970; `postings` are numbers of exact
    values; `texts` (key, folded text, derived: 1 for pinyin and inner starts of names);
    `dates` (key, low, high) in ticks, under the negative key when a range cannot be found
    by its start alone; `spans` (key, low, high) of those that are kept by row as well; `quantities` (key, low, high, system, code, unit); `terms` (number,
    folded text, posting) for the dictionary; `references` the keys of resources pointed to,
    True where that makes the resource a member of the patient's compartment.
    """

    date: int = 0
    postings: set[int] = field(default_factory=set)
    texts: set[tuple[int, str, int]] = field(default_factory=set)
    dates: set[tuple[int, int, int]] = field(default_factory=set)
    spans: set[tuple[int, int, int]] = field(default_factory=set)
    quantities: set[tuple[int, float, float, int, int, int]] = field(default_factory=set)
    terms: set[tuple[int, str, int]] = field(default_factory=set)
    references: dict[int, bool] = field(default_factory=dict)

    def add(self, more: IndexRows) -> None:
        """Adds the rows of `more`, which stays as it is."""
        self.postings |= more.postings
        if more.terms:
            self.terms |= more.terms
        if more.references:
            references = self.references
            for key, is_member in more.references.items():
                references[key] = is_member or references.get(key, False)
        if more.texts or more.dates or more.quantities:
            self.texts |= more.texts
            self.dates |= more.dates
            self.quantities |= more.quantities
