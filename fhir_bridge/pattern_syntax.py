r"""A regular expression as RE2 writes it, with the meaning that :mod:`re` gives it.

https://github.com/google/re2/wiki/Syntax, https://docs.python.org/3/library/re.html#syntax

Two readings are made: for texts of ASCII alone, where RE2's own small classes say what is
meant, and for all others, where ``\w`` and its kin are classes of Unicode.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from fhir_bridge.errors import BridgeError

__all__ = ["Reading", "read_pattern", "refused"]

_MAX_LENGTH = 5_000
_MAX_REPEATS = 1_000
_COUNT = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")
_NUMBER = re.compile(
    r"x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(0[0-7]{0,2})"
)
_GROUP = re.compile(r"\?(?:P?<([^\W\d]\w*)>|([imsU]*(?:-[imsU]+)?)(:|\)))")
_POSIX = re.compile(r"\[:\^?[a-z]+:\]")
_PROPERTY = re.compile(r"[pP](?:\{\^?\w+\}|[A-Z])")
_REFUSED_GROUPS = {
    "?=": "look-ahead",
    "?!": "look-ahead",
    "?<=": "look-behind",
    "?<!": "look-behind",
    "?>": "an atomic group",
    "?P=": "a back-reference",
    "?(": "a condition",
}
_SPACE = r"\t-\r\x1c-\x1f\x85\p{Z}"
_CLASSES = {
    # letter -> (for ASCII texts, for others), as the content of a class
    "d": ("0-9", r"\p{Nd}"),
    "w": ("0-9A-Za-z_", r"_\p{L}\p{N}"),
    "s": (r"\t-\r\x1c-\x20", _SPACE),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """The pattern for texts of ASCII and for others; `has_end`: ``$`` stands in it."""

    ascii: str
    wide: str
    has_end: bool


def refused(reason: object) -> BridgeError:
    """The error of a pattern that cannot be used."""
    return BridgeError("FB-2012", reason=reason)


def read_pattern(source: str, flags: str) -> Reading:
    r"""`source` for RE2; `flags` are those of FHIRPath: ``i``, ``m``.

    Raises BridgeError FB-2012 for what a pattern of linear time cannot say.

    >>> read_pattern(r"^\d{2,}[^\s,]$", "i").ascii
    '(?si)^[0-9]{2,}[^\\t-\\r\\x1c-\\x20,]$'
    """
    if set(flags) - {"i", "m"}:
        raise refused("the flags are i and m")
    if len(source) > _MAX_LENGTH:
        raise refused(f"it is longer than {_MAX_LENGTH} characters")
    if any("\ud800" <= character <= "\udfff" for character in source):
        raise refused("it holds half a character")
    reader = _Reader(source)
    reader.read()
    lead = f"(?s{flags})"
    narrow, wide = ("".join(pieces) for pieces in (reader.narrow, reader.wide))
    return Reading(lead + narrow, lead + wide, reader.has_end)


class _Reader:
    """Walks the pattern once and writes both readings."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.place = 0
        self.narrow: list[str] = []
        self.wide: list[str] = []
        self.has_end = False
        self.repeated = False

    def put(self, narrow: str, wide: str | None = None) -> None:
        self.narrow.append(narrow)
        self.wide.append(narrow if wide is None else wide)

    def taken(self, form: re.Pattern[str]) -> re.Match[str] | None:
        """A match of `form` at the place, which moves behind it."""
        match = form.match(self.source, self.place)
        if match is not None:
            self.place = match.end()
        return match

    def read(self) -> None:
        source = self.source
        while self.place < len(source):
            character = source[self.place]
            repeats = character in "*+?{"
            self.place += 1
            if character == "\\":
                self.escape(inside=False)
            elif character == "[":
                self.character_class()
            elif character == "(":
                self.group()
            elif repeats:
                repeats = self.repetition(character)
            else:
                self.has_end = self.has_end or character == "$"
                self.put(character)
            self.repeated = repeats

    def repetition(self, character: str) -> bool:
        """A quantifier; False where a brace stands for itself."""
        if self.repeated and character == "+":
            raise refused("it has a possessive repetition, which takes more than linear time")
        if character != "{":
            self.put(character)
            return True
        self.place -= 1
        count = self.taken(_COUNT)
        if count is None or not (count[1] or count[3]):
            self.place = self.place + 1 if count is None else count.start() + 1
            self.put(r"\{")
            return False
        if max(int(count[1] or 0), int(count[3] or 0)) > _MAX_REPEATS:
            raise refused(f"it counts to more than {_MAX_REPEATS}")
        self.put(f"{{{count[1] or 0}{count[2]}{count[3]}}}")
        return True

    def group(self) -> None:
        source, place = self.source, self.place
        if source[place : place + 1] != "?":
            self.put("(")
            return
        for start, name in _REFUSED_GROUPS.items():
            if source.startswith(start, place):
                raise refused(f"it has {name}, which takes more than linear time")
        if source.startswith("?#", place):
            end = source.find(")", place)
            if end < 0:
                raise refused("a comment has no end")
            self.place = end + 1
            return
        match = self.taken(_GROUP)
        if match is None:
            raise refused(f"(?{source[place + 1 : place + 2]} is not known")
        self.put(f"(?P<{match[1]}>" if match[1] else f"(?{match[2]}{match[3]}")

    def escape(self, *, inside: bool) -> None:
        """What stands behind a backslash, `inside` a class or outside."""
        source = self.source
        if self.place >= len(source):
            raise refused("it ends with a backslash")
        character = source[self.place]
        if character.lower() in _CLASSES:
            self.place += 1
            self.class_escape(character, inside=inside)
        elif number := self.taken(_NUMBER):
            digits = number[1] or number[2] or number[3] or number[4]
            value = int(digits, 16) if digits else int(number[5], 8)
            if value > 0x10FFFF or 0xD800 <= value <= 0xDFFF:
                raise refused(f"\\{number[0]} is not a character")
            self.put(f"\\x{{{value:x}}}")
        elif named := self.taken(_PROPERTY):
            self.put(f"\\{named[0]}")
        elif character in "123456789" or source.startswith(("k<", "k{", "g{"), self.place):
            raise refused("it has a back-reference, which takes more than linear time")
        else:
            self.place += 1
            self.simple_escape(character, inside=inside)

    def simple_escape(self, character: str, *, inside: bool) -> None:
        if character in "nrtfva":
            self.put(f"\\{character}")
        elif inside and character == "b":
            self.put(r"\x08")
        elif not inside and character in "AbB":
            self.put(f"\\{character}")
        elif not inside and character in "zZ":
            self.put(r"\z")
        elif character.isascii() and character.isalnum():
            raise refused(f"\\{character} is not known")
        else:
            self.put(re.escape(character) if character.isascii() else character)

    def class_escape(self, letter: str, *, inside: bool) -> None:
        narrow, wide = _CLASSES[letter.lower()]
        if letter.islower():
            self.put(narrow if inside else f"[{narrow}]", wide if inside else f"[{wide}]")
        elif inside:
            self.put(_opposite(letter, ascii_only=True), _opposite(letter, ascii_only=False))
        else:
            self.put(f"[^{narrow}]", f"[^{wide}]")

    def character_class(self) -> None:
        """A class up to its closing bracket; the first character may be one."""
        source = self.source
        negated = source.startswith("^", self.place)
        self.place += negated
        self.put("[^" if negated else "[")
        first = True
        while self.place < len(source) and (first or source[self.place] != "]"):
            first = False
            character = source[self.place]
            if posix := self.taken(_POSIX):
                self.put(posix[0])
                continue
            self.place += 1
            if character == "\\":
                self.escape(inside=True)
            else:
                self.put(f"\\{character}" if character in "[]^" else character)
        if self.place >= len(source):
            raise refused("a class has no end")
        self.place += 1
        self.put("]")


@cache
def _opposite(letter: str, *, ascii_only: bool) -> str:
    r"""The content of a class for ``\D``, ``\W`` or ``\S``: every character that is not of it."""
    every = "".join(map(chr, range(0x80 if ascii_only else 0x110000)))
    runs = [match.span() for match in re.finditer(rf"\{letter}+", every)]
    return "".join(f"\\x{{{start:x}}}-\\x{{{end - 1:x}}}" for start, end in runs)
