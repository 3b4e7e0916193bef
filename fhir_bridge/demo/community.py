"""Who serves H community: the alliance's hospital, the health centre, its doctors and teams.

A team is "2+X": a general practitioner and a nurse, with a public-health physician and a
specialist of the superior hospital.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from fhir_bridge.demo import names
from fhir_bridge.demo.facts import rows, stream
from fhir_bridge.demo.identifiers import credit_code

__all__ = ["DIVISION", "Institution", "Staff", "Team", "institution", "specialists", "teams"]

DIVISION = "429802"


@dataclass(frozen=True, slots=True)
class Institution:
    """An organisation with its unified social credit code and its level (3 is tertiary)."""

    kind: str
    name: str
    code: str
    level: str


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff; `work_type` is gp, nurse, public-health or specialist."""

    code: str
    surname: str
    given: str
    male: bool
    work_type: str
    department: str
    institution: str
    phone: str

    @property
    def name(self) -> str:
        """Family and given name, written together."""
        return self.surname + self.given


@dataclass(frozen=True, slots=True)
class Team:
    """A family-doctor team; the first member leads."""

    code: str
    name: str
    members: tuple[Staff, ...]


@cache
def institution(key: str) -> Institution:
    """``hospital`` or ``centre``."""
    row = next(row for row in rows("institutions") if row["key"] == key)
    return Institution(row["kind"], row["name"], credit_code(DIVISION, row["serial"]), row["level"])


@cache
def teams(seed: int) -> tuple[Team, ...]:
    """The three teams of the health centre."""
    return tuple(_team(seed, i) for i in range(3))


@cache
def specialists(seed: int) -> dict[str, Staff]:
    """One physician of the hospital for each department code."""
    return {
        row["code"]: _staff(seed, f"YS{row['code']}", "specialist", row["code"], "hospital")
        for row in rows("departments")
    }


def _team(seed: int, number: int) -> Team:
    local = [
        _staff(seed, f"HC{number * 3 + i + 1:03d}", work_type, "", "centre")
        for i, work_type in enumerate(("gp", "nurse", "public-health"))
    ]
    expert = specialists(seed)[("0301", "0304", "0302")[number]]
    name = f"{local[0].surname}医生团队"
    return Team(f"T{number + 1:02d}", name, (*local, expert))


def _staff(seed: int, code: str, work_type: str, department: str, place: str) -> Staff:
    random = stream(seed, f"staff {code}")
    male = random.random() < (0.05 if work_type == "nurse" else 0.5)
    return Staff(
        code=code,
        surname=names.surname(random),
        given=names.given_name(random, random.randrange(1968, 1992), male=male),
        male=male,
        work_type=work_type,
        department=department,
        institution=institution(place).code,
        phone=f"1609{random.randrange(10_000_000):07d}",
    )
