"""FHIRPath text to syntax tree (http://hl7.org/fhirpath/N1/grammar.html).

Precedence climbing over the token list.  Promises: every refusal is a BridgeError with line
and column and what was expected (FB-2001), or FB-2002 when the text nests too deeply.
"""

from __future__ import annotations

from decimal import Decimal

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath.language import syntax
from fhir_bridge.fhirpath.language.lexer import Token, locate, tokenize
from fhir_bridge.fhirpath_values import CALENDAR_UNITS, Long, Quantity, parse_temporal

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "parse"]

MAX_DEPTH = 60
MAX_LENGTH = 100_000

_BINDING = {
    "implies": 1,
    "or": 2,
    "xor": 2,
    "and": 3,
    "in": 4,
    "contains": 4,
    "=": 5,
    "!=": 5,
    "~": 5,
    "!~": 5,
    "<": 6,
    ">": 6,
    "<=": 6,
    ">=": 6,
    "|": 7,
    "is": 8,
    "as": 8,
    "+": 9,
    "-": 9,
    "&": 9,
    "*": 10,
    "/": 10,
    "div": 10,
    "mod": 10,
}
_WORDS = frozenset(word for word in _BINDING if word.isalpha())
_NAMES = frozenset({"as", "is", "contains", "in"})


def parse(text: str) -> syntax.Expr:
    """The syntax tree of `text`.

    >>> parse("Patient.name.given").steps[1].name
    'given'
    """
    if len(text) > MAX_LENGTH:
        raise BridgeError("FB-2002", limit=f"{MAX_LENGTH} characters")
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.next = 0
        self.depth = 0

    def whole(self) -> syntax.Expr:
        expression = self.expression(0)
        if self.token.kind != "end":
            raise self.refuse("an operator or the end")
        return expression

    @property
    def token(self) -> Token:
        return self.tokens[self.next]

    def refuse(self, expected: str) -> BridgeError:
        token = self.token
        found = "the end" if token.kind == "end" else repr(token.text[:40])
        return BridgeError(
            "FB-2001",
            locate(self.text, token.offset),
            reason=f"expected {expected}, found {found}",
        )

    def at(self, symbol: str) -> bool:
        token = self.token
        return token.kind == "symbol" and token.text == symbol

    def accept(self, symbol: str) -> bool:
        if self.at(symbol):
            self.next += 1
            return True
        return False

    def expect(self, symbol: str) -> None:
        if not self.accept(symbol):
            raise self.refuse(repr(symbol))

    def expression(self, least: int) -> syntax.Expr:
        self.deeper()
        left = self.unary()
        nesting = 0
        while True:
            token = self.token
            binding = _BINDING.get(token.text, 0) if token.kind in ("symbol", "identifier") else 0
            if binding <= least:
                break
            self.next += 1
            nesting += 1
            if nesting + self.depth > 4 * MAX_DEPTH and token.text != "|":
                raise BridgeError("FB-2002", limit=f"{4 * MAX_DEPTH} operators")
            left = self.operation(left, token, binding)
        self.depth -= 1
        return left

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BridgeError(
                "FB-2002", locate(self.text, self.token.offset), limit=f"{MAX_DEPTH} levels"
            )

    def operation(self, left: syntax.Expr, token: Token, binding: int) -> syntax.Expr:
        if token.text in ("is", "as"):
            return syntax.TypeTest(token.offset, token.text, left, self.type_specifier())
        right = self.expression(binding)
        if token.text == "|":
            parts = left.parts if isinstance(left, syntax.Union) else (left,)
            return syntax.Union(token.offset, (*parts, right))
        return syntax.Binary(token.offset, token.text, left, right)

    def type_specifier(self) -> str:
        names = [self.name("a type name")]
        while self.accept("."):
            names.append(self.name("a type name"))
        return ".".join(names)

    def unary(self) -> syntax.Expr:
        token = self.token
        if token.kind == "symbol" and token.text in "+-":
            self.next += 1
            self.deeper()
            operand = self.unary()
            self.depth -= 1
            return syntax.Unary(token.offset, token.text, operand)
        return self.path()

    def path(self) -> syntax.Expr:
        start = self.term()
        steps: list[syntax.Expr] = []
        while True:
            offset = self.token.offset
            if self.accept("."):
                steps.append(self.invocation())
            elif self.accept("["):
                steps.append(syntax.Index(offset, self.expression(0)))
                self.expect("]")
            else:
                break
        return syntax.Path(start.offset, start, tuple(steps)) if steps else start

    def invocation(self) -> syntax.Expr:
        token = self.token
        if token.kind == "special":
            self.next += 1
            return syntax.Special(token.offset, token.text[1:])
        name = self.name("a name or a function")
        if not self.accept("("):
            return syntax.Member(token.offset, name)
        argument = self.sort_key if name == "sort" else lambda: self.expression(0)
        arguments: list[syntax.Expr] = []
        if not self.at(")"):
            arguments.append(argument())
            while self.accept(","):
                arguments.append(argument())
        self.expect(")")
        return syntax.Call(token.offset, name, tuple(arguments))

    def sort_key(self) -> syntax.Expr:
        key = self.expression(0)
        token = self.token
        if token.kind != "identifier" or token.text not in ("asc", "desc"):
            return key
        self.next += 1
        return syntax.SortKey(key.offset, key, token.text == "desc")

    def selects_instance(self) -> bool:
        """Whether a (qualified) name and an opening brace come next."""
        place = self.next
        while self.tokens[place].kind in ("identifier", "delimited"):
            following = self.tokens[place + 1]
            if following.kind != "symbol" or following.text not in ".{":
                return False
            if following.text == "{":
                return True
            place += 2
        return False

    def instance(self) -> syntax.Expr:
        """``Type { element: expression, … }``; ``Type {:}`` has no elements."""
        offset = self.token.offset
        type_name = self.type_specifier()
        self.expect("{")
        elements: list[tuple[str, syntax.Expr]] = []
        if not self.accept(":"):
            elements.append(self.element())
            while self.accept(","):
                elements.append(self.element())
        self.expect("}")
        return syntax.Instance(offset, type_name, tuple(elements))

    def element(self) -> tuple[str, syntax.Expr]:
        name = self.name("the name of an element")
        self.expect(":")
        return name, self.expression(0)

    def name(self, expected: str) -> str:
        token = self.token
        if token.kind not in ("identifier", "delimited"):
            raise self.refuse(expected)
        self.next += 1
        return token.text

    def term(self) -> syntax.Expr:
        token = self.token
        if self.selects_instance():
            return self.instance()
        if token.kind in ("delimited", "special"):
            return self.invocation()
        if token.kind == "identifier":
            if token.text in ("true", "false") and not self.called():
                self.next += 1
                return syntax.Literal(token.offset, token.text == "true")
            if token.text in _WORDS and token.text not in _NAMES:
                raise self.refuse("a value")
            return self.invocation()
        if token.kind == "symbol":
            return self.bracketed(token)
        if token.kind in ("end", "quoted"):
            raise self.refuse("a value")
        self.next += 1
        return syntax.Literal(token.offset, self.literal(token))

    def called(self) -> bool:
        following = self.tokens[self.next + 1]
        return following.kind == "symbol" and following.text == "("

    def bracketed(self, token: Token) -> syntax.Expr:
        if self.accept("("):
            expression = self.expression(0)
            self.expect(")")
            # a one-part union marks the parentheses, so that a path after them starts anew
            return syntax.Path(token.offset, expression, ())
        if self.accept("{"):
            self.expect("}")
            return syntax.Literal(token.offset, None)
        if self.accept("%"):
            name = self.token
            if name.kind not in ("identifier", "delimited", "string", "quoted"):
                raise self.refuse("the name of a variable")
            self.next += 1
            return syntax.Constant(token.offset, name.text)
        raise self.refuse("a value")

    def literal(self, token: Token) -> object:
        kind, text = token.kind, token.text
        if kind == "string":
            return text
        if kind == "long":
            return Long(text[:-1])
        if kind == "number":
            return self.number(text)
        value = parse_temporal(text[1:].removeprefix("T") if kind == "time" else text[1:], kind)
        if value is None:
            raise BridgeError(
                "FB-2001",
                locate(self.text, token.offset),
                reason=f"{text} is not a possible {kind}",
            )
        return value

    def number(self, text: str) -> object:
        unit = self.token
        if unit.kind == "string":
            self.next += 1
            return Quantity(Decimal(text), unit.text)
        if unit.kind == "identifier" and unit.text in CALENDAR_UNITS:
            self.next += 1
            return Quantity(Decimal(text), CALENDAR_UNITS[unit.text], calendar=True)
        if "." in text:
            return Decimal(text)
        return int(text) if len(text) < 20 else Decimal(text)
