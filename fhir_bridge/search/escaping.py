r"""A value as a search writes it: separators, and backslashes before those that are meant as text.

https://hl7.org/fhir/R4/search.html#escaping.  A value is read once: from then on its text has no
escapes, and what separated is told from what was only text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Written", "read_value"]

_SPECIAL = ",|$\\"


@dataclass(frozen=True, slots=True)
class Written:
    """A text without escapes; `literal` are the places of separators that were escaped."""

    text: str
    literal: frozenset[int] = frozenset()

    def alternatives(self) -> list[Written]:
        """The values joined by commas."""
        return list(self._split(","))

    def components(self) -> list[Written]:
        """The values of a composite, joined by ``$``."""
        return list(self._split("$"))

    def fields(self) -> list[str]:
        """The parts joined by ``|``, such as the system and the code of a token."""
        if not self.literal:
            return self.text.split("|")
        return [part.text for part in self._split("|")]

    def _split(self, separator: str) -> Iterator[Written]:
        if not self.literal:
            yield from map(Written, self.text.split(separator))
            return
        start = 0
        for end, letter in enumerate([*self.text, separator]):
            if letter == separator and end not in self.literal:
                places = (place - start for place in self.literal if start <= place < end)
                yield Written(self.text[start:end], frozenset(places))
                start = end + 1


def read_value(text: str) -> Written:
    r"""The value that `text`, decoded from its URL, writes.

    >>> read_value(r"a\,b,c").alternatives()
    [Written(text='a,b', literal=frozenset({1})), Written(text='c', literal=frozenset())]
    """
    if "\\" not in text:
        return Written(text)
    letters: list[str] = []
    literal: set[int] = set()
    is_escaped = False
    for letter in text:
        if is_escaped and letter in _SPECIAL:
            literal.add(len(letters))
        elif is_escaped:
            letters.append("\\")
        elif letter == "\\":
            is_escaped = True
            continue
        letters.append(letter)
        is_escaped = False
    if is_escaped:
        letters.append("\\")
    return Written("".join(letters), frozenset(literal))
