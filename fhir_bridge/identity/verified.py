"""Identifiers that are verified by their own form, check character and what they say.

An identifier is *verified* when its form fits, its check character is right, and what it
says of birth date and sex agrees with the record it stands on.
https://hl7.org/fhir/R4/datatypes.html#Identifier
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_bridge.budget import new_budget
from fhir_bridge.fhir import Resource
from fhir_bridge.pattern import Pattern, compile_pattern

__all__ = ["VerifiedSystem", "mod11_2_holds", "verified_system"]


def mod11_2_holds(value: str) -> bool:
    """Is the last character the ISO/IEC 7064 MOD 11-2 check of the digits before it?

    >>> mod11_2_holds("11010519491231002X"), mod11_2_holds("110105194912310021")
    (True, False)
    """
    if not value[:-1].isdecimal() or not value.isascii():
        return False
    remainder = 0
    for digit in value[:-1]:
        remainder = (remainder + int(digit)) * 2 % 11
    check = (12 - remainder) % 11
    return value[-1].upper() == ("X" if check == 10 else str(check))


_CHECKS: Mapping[str, Callable[[str], bool]] = {"mod11_2": mod11_2_holds}


@dataclass(frozen=True, slots=True)
class VerifiedSystem:
    """How identifiers of one `system` are verified.

    `birth_date` are the first and last position (from 1) of YYYYMMDD; `sex_digit` is the
    position of a digit that is odd for men; None where the number does not say.
    """

    system: str
    pattern: Pattern
    check: Callable[[str], bool] | None
    birth_date: tuple[int, int] | None
    sex_digit: int | None

    def holds(self, value: str, patient: Resource) -> bool:
        """Is `value` well-formed, checked and in agreement with `patient`?"""
        if not self.pattern.fullmatch(value, new_budget()) or (
            self.check and not self.check(value)
        ):
            return False
        return self._birth_date_agrees(value, patient) and self._sex_agrees(value, patient)

    def _birth_date_agrees(self, value: str, patient: Resource) -> bool:
        born = str(patient.get("birthDate", "")).replace("-", "")
        if not self.birth_date or not born.isdecimal():
            return True
        first, last = self.birth_date
        return value[first - 1 : last].startswith(born)

    def _sex_agrees(self, value: str, patient: Resource) -> bool:
        gender = patient.get("gender")
        if not self.sex_digit or gender not in ("male", "female"):
            return True
        odd = int(value[self.sex_digit - 1]) % 2 == 1
        return odd is (gender == "male")


def verified_system(row: Mapping[str, Any]) -> VerifiedSystem:
    """A row ``[[verified]]``.  Raises KeyError, TypeError, ValueError or BridgeError FB-2012."""
    first_last = row.get("birth_date")
    return VerifiedSystem(
        system=row["system"],
        pattern=compile_pattern(row["pattern"]),
        check=_CHECKS[row["check"]] if "check" in row else None,
        birth_date=(int(first_last[0]), int(first_last[1])) if first_last else None,
        sex_digit=row.get("sex_digit"),
    )
