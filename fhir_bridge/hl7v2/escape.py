r"""Escape sequences of HL7 v2 text.

HL7 v2.5.1 section 2.7: ``\F\ \S\ \T\ \R\ \E\`` stand for separators, ``\Xdd..\`` for
bytes, ``\.br\`` and friends for formatting, ``\H\ \N\`` for highlighting, ``\Cxxyy\``
and ``\Mxxyyzz\`` for other character sets;
https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144

A sequence that is not understood stays as it was sent: paths with back-slashes are
common in real messages.  Cost is linear in the text, and so is what it gives: the empty
lines that ``\.sp999\`` asks for are bounded.
"""

from __future__ import annotations

import re
from functools import lru_cache

from fhir_bridge.errors import BridgeError

from .separators import Separators

__all__ = ["MAX_SKIPPED", "escape", "has_undecoded", "unescape"]

MAX_SKIPPED = 10_000
"""Lines that the escapes of one text may skip; a page has some sixty."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufdd0\ufdd1]")  # and what maps use as marks
_HEX = re.compile(r"[0-9A-Fa-f]*")
_FORMATTING = {".br": "\n", ".ce": "\n", ".fi": "", ".nf": "", "H": "", "N": ""}
_NUMBERED = re.compile(r"\.(sp|in|ti|sk)([+-]?\d{0,3})")


def unescape(text: str, separators: Separators, codec: str = "utf-8") -> str:
    r"""`text` with its escape sequences replaced; `codec` reads the bytes of ``\X..\``.

    Raises BridgeError FB-1123 when they ask for more than MAX_SKIPPED lines.

    >>> unescape(r"10\S\9/L\.br\x", Separators())
    '10^9/L\nx'
    """
    mark = separators.escape
    if not mark or mark not in text:
        return text
    parts = _bytes_joined(text, mark).split(mark)
    result = [parts[0]]
    index, last, skipped = 1, len(parts) - 1, 0
    while index <= last:
        replacement = _meaning(parts[index], separators, codec) if index < last else None
        if replacement is None:
            result.append(mark + parts[index])
            index += 1
        else:
            if len(replacement) > len(parts[index]) + 2:
                skipped += len(replacement)
                if skipped > MAX_SKIPPED:
                    raise BridgeError("FB-1123", limit=MAX_SKIPPED)
            result.append(replacement)
            result.append(parts[index + 1])
            index += 2
    return "".join(result)


def escape(text: str, separators: Separators) -> str:
    r"""`text` so that no separator in it parts anything; a line break becomes ``\.br\``.

    >>> escape("10^9/L", Separators())
    '10\\S\\9/L'
    """
    return text.translate(_escapes(separators))


@lru_cache(maxsize=64)
def _escapes(separators: Separators) -> dict[int, str]:
    mark = separators.escape
    table = {
        ord(character): f"{mark}{letter}{mark}" if mark else " "
        for character, letter in _letters(separators)
    }
    break_line = f"{mark}.br{mark}" if mark else " "
    return table | {ord("\r"): break_line, ord("\n"): break_line}


def _letters(separators: Separators) -> list[tuple[str, str]]:
    pairs = [
        (separators.escape, "E"),
        (separators.field, "F"),
        (separators.component, "S"),
        (separators.subcomponent, "T"),
        (separators.repetition, "R"),
        (separators.truncation, "P"),
    ]
    return [(character, letter) for character, letter in pairs if character]


@lru_cache(maxsize=64)
def _separator_meanings(separators: Separators) -> dict[str, str]:
    return {letter: character for character, letter in _letters(separators)} | _FORMATTING


def _meaning(sequence: str, separators: Separators, codec: str) -> str | None:
    """What stands between two escape characters means, None if it is no escape sequence."""
    simple = _separator_meanings(separators).get(sequence)
    if simple is not None:
        return simple
    kind, rest = sequence[:1], sequence[1:]
    if kind == "X" and rest and len(rest) % 2 == 0 and _HEX.fullmatch(rest):
        return _characters(bytes.fromhex(rest), codec)
    if kind in {"C", "M"} and len(rest) in {4, 6} and _HEX.fullmatch(rest):
        return ""  # a switch of character set by hand; the text is decoded already
    numbered = _NUMBERED.fullmatch(sequence)
    if numbered:
        return "\n" * max(1, int(numbered[2] or 1)) if numbered[1] in {"sp", "sk"} else ""
    return None


def _characters(data: bytes, codec: str) -> str:
    """Bytes of a hexadecimal escape as text, without control characters."""
    text = _decoded(data, codec)
    if text is None:
        text = data.decode(codec, "replace")
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _decoded(data: bytes, codec: str) -> str | None:
    """In the message's character set, else in one that surely fits; None if there is none."""
    for each in (codec, "utf-8", "gb18030"):
        try:
            return data.decode(each)
        except UnicodeDecodeError:
            continue
    return None


def _bytes_joined(text: str, mark: str) -> str:
    r"""`text` with hexadecimal escapes that follow each other as one: ``\XE5\\XBC\\XA0\``."""
    if f"{mark}{mark}X" not in text:
        return text
    sign = re.escape(mark)
    one = rf"{sign}X(?:[0-9A-Fa-f]{{2}})+{sign}"
    return re.sub(rf"{one}(?:{one})+", lambda run: run[0].replace(f"{mark}{mark}X", ""), text)


def has_undecoded(text: str, separators: Separators, codec: str = "utf-8") -> bool:
    r"""Whether `text` holds a hexadecimal escape that gives no text.

    Half a byte, control bytes, or bytes of no character set.

    >>> [has_undecoded(text, Separators()) for text in ("\\XE5BCA0\\", "\\XFF\\", "a")]
    [False, True, False]
    """
    mark = separators.escape
    sign = re.escape(mark)
    for digits in re.findall(rf"{sign}X([0-9A-Fa-f]+){sign}", _bytes_joined(text, mark)):
        found = _decoded(bytes.fromhex(digits), codec) if len(digits) % 2 == 0 else None
        if found is None or _CONTROL.search(found) or "\ufffd" in found:
            return True
    return False
