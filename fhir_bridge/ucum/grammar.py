"""UCUM unit terms to a tree (https://ucum.org/ucum#section-Syntax-Rules, case sensitive).

``main = ["/"] term``, ``term = component {("." | "/") component}``, a component is a factor,
a simple unit with exponent and annotation, or a term in parentheses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fhir_bridge.errors import BridgeError
from fhir_bridge.ucum.table import Atom, atoms, prefixes

__all__ = ["Component", "parse"]

MAX_LENGTH = 200
_MAX_NESTING = 20
_MAX_EXPONENT = 99
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_SYMBOL = re.compile(r"(?:10[*^]|(?:[^\[\]{}()./0-9+\-\s]|\[[^\[\]]*\])+)")
_FACTOR = re.compile(r"[0-9]+")
_EXPONENT = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a term with its exponent (negative below a solidus).

    Exactly one of these is set: `atom` (with `prefix`), `factor`, `group`; an annotation
    alone is factor 1 with `annotation`.
    """

    exponent: int
    divided: bool = False
    prefix: str = ""
    atom: Atom | None = None
    factor: int | None = None
    group: tuple[Component, ...] | None = None
    annotation: str = ""


def parse(text: str) -> tuple[Component, ...]:
    """The components of a unit; BridgeError FB-2020 says why it is none."""
    if len(text) > MAX_LENGTH:
        raise _refuse(text, "it is longer than any unit")
    if not text:
        raise _refuse(text, "it is empty")
    reader = _Reader(text)
    components = reader.term(opening=True)
    if reader.position < len(text):
        raise _refuse(text, f"unexpected {text[reader.position]!r}")
    return components


def _refuse(text: str, reason: str) -> BridgeError:
    return BridgeError("FB-2020", unit=text[:60], reason=reason)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.nesting = 0

    def at(self, character: str) -> bool:
        return self.text.startswith(character, self.position)

    def matched(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.position)
        if match is None:
            return ""
        self.position = match.end()
        return match[0]

    def term(self, *, opening: bool = False) -> tuple[Component, ...]:
        components = []
        divided = False
        if self.at("/") and opening:
            self.position += 1
            divided = True
        while True:
            components.append(self.component(divided=divided))
            if self.at("."):
                divided = False
            elif self.at("/"):
                divided = True
            else:
                return tuple(components)
            self.position += 1

    def component(self, *, divided: bool) -> Component:
        sign = -1 if divided else 1
        if self.at("("):
            return self.group(sign, divided=divided)
        if annotation := self.matched(_ANNOTATION):
            if self.position < len(self.text) and self.text[self.position] not in "./)":
                raise _refuse(self.text, "an annotation cannot stand before a unit")
            return Component(sign, divided, factor=1, annotation=annotation)
        ten = self.text.startswith(("10*", "10^"), self.position)
        if not ten and (digits := self.matched(_FACTOR)):
            annotation = self.matched(_ANNOTATION)
            if self.position < len(self.text) and self.text[self.position] not in "./)":
                raise _refuse(self.text, f"{digits} needs a dot or a solidus behind it")
            return Component(sign, divided, factor=int(digits), annotation=annotation)
        return self.simple(sign, divided=divided)

    def group(self, sign: int, *, divided: bool) -> Component:
        self.nesting += 1
        if self.nesting > _MAX_NESTING:
            raise _refuse(self.text, "it nests too deeply")
        self.position += 1
        inner = self.term(opening=True)
        if not self.at(")"):
            raise _refuse(self.text, "a parenthesis is not closed")
        self.position += 1
        self.nesting -= 1
        exponent = self.exponent()
        annotation = self.matched(_ANNOTATION)
        return Component(sign * exponent, divided, group=inner, annotation=annotation)

    def simple(self, sign: int, *, divided: bool) -> Component:
        symbol = self.matched(_SYMBOL)
        if not symbol:
            raise _refuse(self.text, "a unit is missing")
        prefix, atom = self.resolve(symbol)
        exponent = self.exponent()
        annotation = self.matched(_ANNOTATION)
        return Component(sign * exponent, divided, prefix, atom, annotation=annotation)

    def exponent(self) -> int:
        text = self.matched(_EXPONENT)
        value = int(text) if text else 1
        if abs(value) > _MAX_EXPONENT:
            raise _refuse(self.text, "the exponent is too large")
        return value

    def resolve(self, symbol: str) -> tuple[str, Atom]:
        table = atoms()
        if symbol in table:
            return "", table[symbol]
        for length in (2, 1):
            atom = table.get(symbol[length:])
            if atom is not None and atom.metric and symbol[:length] in prefixes():
                return symbol[:length], atom
        raise _refuse(self.text, f"{symbol} is not a unit")
