"""``did you mean …?``: the name an author may have had in mind."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean"]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Words to put behind a reason; "" when no known name is near.

    >>> did_you_mean("birthdat", ["birthDate", "name"])
    '; did you mean birthDate?'
    """
    folded = {each.casefold(): each for each in known}
    near = get_close_matches(name.casefold(), folded, 1, cutoff=0.7)
    return f"; did you mean {folded[near[0]]}?" if near else ""
