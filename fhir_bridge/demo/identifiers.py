"""Builds the numbers of Chinese health care with their check characters.

* Citizen identity number, GB 11643-1999: 6 division, 8 birth date, 3 sequence (odd for men),
  1 check character by ISO 7064 MOD 11-2.
* Unified social credit code, GB 32100-2015: 18 characters, check modulo 31; characters 9 to 17
  are the organisation code of GB 11714, check modulo 11.
* Resident health record number, WS 365-2011: 6 county, 3 township, 3 village, 5 serial.
"""

from __future__ import annotations

from datetime import date

__all__ = ["credit_code", "health_record_number", "identity_number", "organisation_code"]

_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def identity_number(division: str, birth: date, sequence: int) -> str:
    """The 18 characters for a person.

    >>> identity_number("110105", date(1949, 12, 31), 2)  # the example of the standard
    '11010519491231002X'
    """
    body = f"{division}{birth:%Y%m%d}{sequence:03d}"
    total = sum(weight * int(digit) for weight, digit in zip(_IDENTITY_WEIGHTS, body, strict=True))
    return body + "10X98765432"[total % 11]


def organisation_code(serial: str) -> str:
    """Nine characters: `serial` of eight digits and its check character.

    >>> organisation_code("41800001")
    '418000016'
    """
    weighted = zip(_ORGANISATION_WEIGHTS, serial, strict=True)
    check = 11 - sum(weight * int(digit) for weight, digit in weighted) % 11
    return serial + {10: "X", 11: "0"}.get(check, str(check))


def credit_code(division: str, serial: str) -> str:
    """The 18 characters of a public institution (registration class 12).

    >>> len(credit_code("429802", "41800001"))
    18
    """
    body = f"12{division}{organisation_code(serial)}"
    total = sum(_CREDIT_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + _CREDIT_ALPHABET[(31 - total % 31) % 31]


def health_record_number(township: str, serial: int) -> str:
    """17 digits under the nine-digit `township`; each 99,999 people fill one village code.

    >>> health_record_number("429802001", 0)
    '42980200100100001'
    """
    village, number = divmod(serial, 99_999)
    return f"{township}{village + 1:03d}{number + 1:05d}"
