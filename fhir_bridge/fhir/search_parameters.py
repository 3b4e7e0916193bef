"""The search parameters of R4 as values.

https://hl7.org/fhir/R4/searchparameter.html

One published parameter may serve many resource types by a union of expressions
(``Patient.name | Person.name``); here each type has its own part, otherwise unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["SearchParameter", "expression_part", "read_search_parameters"]


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One search parameter for one base type.

    `type` is number, date, string, token, reference, composite, quantity, uri or special;
    `targets` the types a reference may point to; `components` of a composite are
    (definition URL, expression relative to `expression`).
    """

    url: str
    code: str
    type: str
    expression: str
    targets: tuple[str, ...]
    components: tuple[tuple[str, str], ...]
    base: str


def read_search_parameters(
    rows: Iterable[Sequence[Any]],
) -> Mapping[tuple[str, str], SearchParameter]:
    """Table rows (url, code, type, bases, expression, targets, components) by (base, code)."""
    found: dict[tuple[str, str], SearchParameter] = {}
    for url, code, kind, bases, expression, targets, components in rows:
        members = _union_members(expression) if len(bases) > 1 else []
        for base in bases:
            found[base, code] = SearchParameter(
                url=url,
                code=code,
                type=kind,
                expression=_own(members, base) or expression,
                targets=tuple(targets),
                components=tuple((part[0], part[1]) for part in components),
                base=base,
            )
    return found


def expression_part(expression: str, resource_type: str) -> str:
    """The members of a top-level union that start with `resource_type`; all when none does.

    >>> expression_part("Patient.name | (Person.name as HumanName)", "Person")
    '(Person.name as HumanName)'
    """
    return _own(_union_members(expression), resource_type) or expression


def _own(members: list[str], resource_type: str) -> str:
    return " | ".join(
        member
        for member in members
        if (match := _START.match(member)) and match[1] == resource_type
    )


def _union_members(expression: str) -> list[str]:
    """Split at each ``|`` that stands outside of brackets and quotes."""
    members, depth, quoted, begin = [], 0, "", 0
    for position, letter in enumerate(expression):
        if quoted:
            quoted = "" if letter == quoted and expression[position - 1] != "\\" else quoted
        elif letter in "'`\"":
            quoted = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "|" and depth == 0:
            members.append(expression[begin:position].strip())
            begin = position + 1
    return [*members, expression[begin:].strip()]


_START = re.compile(r"\(*([A-Za-z]+)\b")
