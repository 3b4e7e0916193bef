"""Cuts a FHIRPath expression out of map text.

https://hl7.org/fhir/R5/mapping-language.html#fhirpath (conditions, checks, logs, defaults)

The expression ends, outside brackets, at a keyword or sign of the rule that cannot go on
a FHIRPath expression.  Strings in double quotes, which older maps use, become single
quoted; comments are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence

from fhir_bridge.errors import BridgeError
from fhir_bridge.fml.tokens import Text, Token, unquote

__all__ = ["MAX_DEPTH", "expression_end", "expression_text", "quote"]

MAX_DEPTH = 60
"""Brackets, and rules, inside one another; real maps stay below 15."""

_OPENING, _CLOSING = {"(", "[", "{"}, {")", "]", "}"}
_WORDS = ("and", "or", "xor", "implies", "in", "contains", "is", "as", "div", "mod")
_SIGNS = ("=", "!=", "~", "!~", "<", ">", "<=", ">=", "+", "-", "*", "/", "&", "|", ".", ",", "(")
_OPERATORS = frozenset((*_WORDS, *_SIGNS))


def expression_end(text: Text, start: int, stops: frozenset[str]) -> int:
    """The index of the first token at or after `start` that does not belong to it."""
    depth, index, tokens = 0, start, text.tokens
    while (token := tokens[index]).kind not in ("end", "metadata"):
        if token.text in _OPENING and token.kind == "sign":
            if depth == 0 and token.text == "{" and tokens[index + 1].text != "}":
                break
            depth += 1
            if depth > MAX_DEPTH:
                raise BridgeError("FB-2102", text.place(token.start), limit=MAX_DEPTH)
        elif token.text in _CLOSING and token.kind == "sign":
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and _is_stop(tokens, index, start, stops):
            break
        index += 1
    if index == start:
        raise text.error(tokens[start].start, "a FHIRPath expression", tokens[start].text)
    return index


def _is_stop(tokens: Sequence[Token], index: int, start: int, stops: frozenset[str]) -> bool:
    token = tokens[index]
    if token.kind in ("quoted", "markdown"):
        return index > start and tokens[index - 1].text not in _OPERATORS
    if token.kind == "name":
        return token.text in stops and (index == start or tokens[index - 1].text != ".")
    return token.kind == "sign" and token.text in stops


def expression_text(text: Text, start: int, end: int) -> str:
    """The text of tokens `start` to `end` (excluded), without outer brackets."""
    tokens = text.tokens
    while tokens[start].text == "(" and _closing(tokens, start) == end - 1 and end - start > 2:
        start, end = start + 1, end - 1
    pieces: list[str] = []
    last = tokens[start].start
    for token in tokens[start:end]:
        gap = text.text[last : token.start]
        if gap:
            pieces.append(" ")
        pieces.append(quote(unquote(token.text)) if token.kind == "quoted" else token.text)
        last = token.end
    return "".join(pieces)


def quote(value: str) -> str:
    r"""`value` as a FHIRPath string literal.

    >>> print(quote("it's"))
    'it\'s'
    """
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    escaped = escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return f"'{escaped}'"


def _closing(tokens: Sequence[Token], start: int) -> int:
    depth = 0
    for index in range(start, len(tokens)):
        token = tokens[index]
        if token.kind == "sign" and token.text in _OPENING:
            depth += 1
        elif token.kind == "sign" and token.text in _CLOSING:
            depth -= 1
            if depth == 0:
                return index
    return -1
