"""What happened to the residents at the alliance's hospital in the twelve months of the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import cache
from itertools import accumulate
from random import Random

from fhir_bridge.demo.community import Staff, specialists
from fhir_bridge.demo.facts import rows, stream
from fhir_bridge.demo.population import AS_OF, Resident

__all__ = ["Panel", "Result", "Visit", "department_name", "hospital_number", "visits"]


@dataclass(frozen=True, slots=True)
class Result:
    """One laboratory value with its reference range; numbers keep their decimals."""

    code: str
    loinc: str
    name: str
    unit: str
    value: Decimal
    low: Decimal
    high: Decimal

    @property
    def flag(self) -> str:
        """H, L or N (HL7 table 0078)."""
        return "H" if self.value > self.high else "L" if self.value < self.low else "N"


@dataclass(frozen=True, slots=True)
class Panel:
    """One laboratory order and its results."""

    code: str
    loinc: str
    name: str
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit to the outpatient department or one stay in hospital."""

    number: str
    resident: Resident
    inpatient: bool
    start: datetime
    end: datetime
    department: str
    doctor: Staff
    icd10: str
    diagnosis: str
    panels: tuple[Panel, ...]
    referred: bool


def hospital_number(resident: Resident) -> str:
    """The hospital's own patient number; it says nothing about the community's numbers."""
    return f"P{(resident.number * 7_919 + 104_729) % 10_000_019:08d}"


def department_name(code: str) -> str:
    """The Chinese name of a department."""
    return next(row["name"] for row in rows("departments") if row["code"] == code)


def visits(resident: Resident, seed: int) -> Iterator[Visit]:
    """The visits of one resident in order of time; most people have none or one."""
    random = stream(seed, "visits", resident.number)
    ill = bool(resident.conditions) or resident.age >= 65 or resident.age <= 6
    count = random.choices((0, 1, 2, 3), (68, 24, 6, 2) if ill else (87, 11, 2, 0))[0]
    for index, day in enumerate(sorted(random.sample(range(3, 360), count), reverse=True)):
        yield _visit(random, resident, seed, index, day)


def _visit(random: Random, resident: Resident, seed: int, index: int, days_ago: int) -> Visit:
    row = _diagnosis(random, resident)
    inpatient = row["inpatient"] == "1" or random.random() < 0.04
    start = datetime.combine(AS_OF - timedelta(days=days_ago), time(8, 0))
    start += timedelta(minutes=random.randrange(0, 500))
    stay = timedelta(days=random.randrange(2, 14)) if inpatient else timedelta(minutes=40)
    end = min(start + stay, datetime.combine(AS_OF, time(17, 0)))
    codes = [code for code in row["panels"].split("+") if code]
    kept = [code for code in codes if inpatient or random.random() < 0.4]
    return Visit(
        number=f"{'ZY' if inpatient else 'MZ'}{start:%y%m%d}{resident.number:07d}{index}",
        resident=resident,
        inpatient=inpatient,
        start=start,
        end=end,
        department=row["department"],
        doctor=specialists(seed)[row["department"]],
        icd10=row["icd10"],
        diagnosis=row["name"],
        panels=tuple(_panel(random, code) for code in kept),
        referred=inpatient and random.random() < 0.35,
    )


def _diagnosis(random: Random, resident: Resident) -> dict[str, str]:
    fitting = _diagnoses_of_age(resident.age)
    cumulative = list(accumulate(float(row["weight"]) for row in fitting))
    return random.choices(fitting, cum_weights=cumulative)[0]


@cache
def _diagnoses_of_age(age: int) -> tuple[dict[str, str], ...]:
    return tuple(
        dict(row) for row in rows("diagnoses") if int(row["age_from"]) <= age <= int(row["age_to"])
    )


def _panel(random: Random, code: str) -> Panel:
    table = _laboratory(code)
    return Panel(
        code,
        table[0]["panel_loinc"],
        table[0]["panel_name"],
        tuple(_result(random, row) for row in table),
    )


def _result(random: Random, row: dict[str, str]) -> Result:
    places = Decimal(1).scaleb(-int(row["decimals"]))
    drawn = max(random.gauss(float(row["mean"]), float(row["spread"])), float(row["low"]) * 0.4)
    return Result(
        row["code"],
        row["loinc"],
        row["name"],
        row["unit"],
        Decimal(drawn).quantize(places),
        Decimal(row["low"]),
        Decimal(row["high"]),
    )


@cache
def _laboratory(panel: str) -> tuple[dict[str, str], ...]:
    return tuple(dict(row) for row in rows("laboratory") if row["panel"] == panel)
