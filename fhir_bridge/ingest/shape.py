"""The shape of a value, which says what kind of thing it is and nothing of anybody.

Digits become 9, Latin letters A or a, Han characters 汉, other letters X; ASCII signs and
blanks stay, since they part values; everything else becomes ·.
"""

from __future__ import annotations

__all__ = ["shape_of"]

_MAX_LENGTH = 40


def shape_of(text: str) -> str:
    """The shape of the beginning of `text`.

    >>> shape_of("11010119840229128X"), shape_of("张三 (male)"), shape_of("2026-03-01")
    ('99999999999999999A', '汉汉 (aaaa)', '9999-99-99')
    """
    shape = "".join(map(_sign, text[:_MAX_LENGTH]))
    return f"{shape}…" if len(text) > _MAX_LENGTH else shape


def _sign(character: str) -> str:
    if character.isdigit():
        return "9"
    if "\u3400" <= character <= "\u9fff" or character >= "\U00020000":
        return "汉"
    if character.isalpha():
        if not character.isascii():
            return "X"
        return "A" if character.isupper() else "a"
    if character.isascii():
        return character if character.isprintable() else " "
    return "·"
