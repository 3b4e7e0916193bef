"""Check characters of identifiers, named by their algorithm.

ISO/IEC 7064:2003: MOD 11-2 weighs the digit at place i (from the right, the check
character being place 1) with 2^(i-1) modulo 11 and has eleven check characters.
"""

from __future__ import annotations

__all__ = ["mod_11_2_character"]

_CHARACTERS = "0123456789X"


def mod_11_2_character(digits: str) -> str:
    """The check character of `digits`; empty when they are not all digits.

    >>> mod_11_2_character("0794")
    '0'
    """
    if not digits or not (digits.isascii() and digits.isdigit()):
        return ""
    remainder = 0
    for digit in digits:
        remainder = (remainder + int(digit)) * 2 % 11
    return _CHARACTERS[(12 - remainder) % 11]
