"""The parser's place in the tokens: look, take, expect."""

from __future__ import annotations

from fhir_bridge.fml.expressions import expression_end, expression_text
from fhir_bridge.fml.tokens import Text, Token, unquote

__all__ = ["Cursor"]

_NAMES = ("name", "delimited", "quoted")


class Cursor:
    """A position in a token list; every failure is FB-2101 with the place."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.index = 0

    @property
    def token(self) -> Token:
        """The token to be taken next."""
        return self.text.tokens[self.index]

    @property
    def line(self) -> int:
        """Its line."""
        return self.text.line(self.token.start)

    def sees(self, *texts: str) -> bool:
        """Whether the next token is one of these words or signs (never a string)."""
        token = self.token
        return token.text in texts and token.kind in ("name", "sign")

    def sees_kind(self, *kinds: str) -> bool:
        """Whether the next token is of one of these kinds."""
        return self.token.kind in kinds

    def after(self, offset: int = 1) -> Token:
        """The token `offset` places on."""
        tokens = self.text.tokens
        return tokens[min(self.index + offset, len(tokens) - 1)]

    def take(self) -> Token:
        """The next token, passed."""
        token = self.token
        if token.kind != "end":
            self.index += 1
        return token

    def took(self, *texts: str) -> bool:
        """Pass the next token if it is one of these; whether it was."""
        if self.sees(*texts):
            self.index += 1
            return True
        return False

    def expect(self, text: str) -> Token:
        """Pass `text`, or fail."""
        if not self.sees(text):
            raise self.expected(repr(text))
        return self.take()

    def name(self, what: str) -> str:
        """Pass an identifier (plain, in backticks or in double quotes)."""
        if self.token.kind not in _NAMES:
            raise self.expected(what)
        token = self.take()
        return token.text if token.kind == "name" else unquote(token.text)

    def string(self, what: str) -> str:
        """Pass a string in any quotes."""
        if not self.sees_kind("string", "quoted", "delimited"):
            raise self.expected(what)
        return unquote(self.take().text)

    def expression(self, stops: frozenset[str]) -> str:
        """Pass a FHIRPath expression that ends before one of `stops`."""
        start = self.index
        self.index = expression_end(self.text, start, stops)
        return expression_text(self.text, start, self.index)

    def documentation(self) -> str:
        """The comments that stand directly before the next token."""
        return "\n".join(self.text.comments.get(self.index, ()))

    def expected(self, what: str) -> Exception:
        """The error that `what` should stand here."""
        return self.text.error(self.token.start, what, self.token.text)
