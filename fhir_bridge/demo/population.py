"""The residents of H community, household by household.

Each household is drawn from its own sequence of random numbers, so that any part of the
community can be made again without the rest and memory stays flat at any size.
Identity numbers are unique up to several hundred thousand residents: the day of the month
and the sequence digits are spread over the running number of the resident.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import accumulate
from random import Random

from fhir_bridge.demo import names
from fhir_bridge.demo.facts import pick, rows, stream
from fhir_bridge.demo.identifiers import health_record_number, identity_number

__all__ = ["AS_OF", "TOWNSHIP", "Household", "Resident", "households", "residents"]

AS_OF = date(2026, 9, 30)
TOWNSHIP = "429802001"

_STREETS = ("和平路", "解放路", "文化巷", "建设二路", "滨河街", "学府路", "民主街", "幸福里")
_SPREAD = 14_000  # 28 days of the month x 500 sequence numbers of one sex


@dataclass(frozen=True, slots=True)
class Resident:
    """One person as the community knows them (not as any one system records them)."""

    number: int
    household: int
    relation: str  # to the head of the household, GB/T 4761
    surname: str
    given: str
    male: bool
    birth: date
    national_id: str
    health_record: str
    phone: str
    address: str
    ethnic: str  # GB/T 3304
    marital: str  # GB/T 2261.2
    education: str  # GB/T 4658
    employment: str  # GB/T 2261.4
    blood_group: str  # CV04.50.005
    rhesus: str  # CV04.50.020
    payment: str  # CV07.10.003
    conditions: tuple[str, ...]
    groups: tuple[str, ...]

    @property
    def name(self) -> str:
        """Family and given name, written together."""
        return self.surname + self.given

    @property
    def age(self) -> int:
        """Completed years on the day of the data."""
        return _age(self.birth)


@dataclass(frozen=True, slots=True)
class Household:
    """People under one roof; the first one is the head."""

    number: int
    members: tuple[Resident, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A member before they become a resident: who they are in the household."""

    relation: str
    male: bool
    age: int
    family: str


def households(count: int, seed: int) -> Iterator[Household]:
    """Households until `count` residents are there; the last one may be cut short."""
    made = number = 0
    while made < count:
        random = stream(seed, "household", number)
        places = _places(random)[: count - made]
        street = random.choice(_STREETS)
        address = f"{street}{random.randrange(1, 120)}号{random.randrange(1, 20)}栋"
        address += (
            f"{random.randrange(1, 4)}单元{random.randrange(1, 19)}0{random.randrange(1, 5)}室"
        )
        members = tuple(
            _resident(
                random,
                place,
                made + i,
                household=number,
                address=address,
                together=len(places) > 1,
            )
            for i, place in enumerate(places)
        )
        yield Household(number, members)
        made += len(members)
        number += 1


def residents(count: int, seed: int) -> Iterator[Resident]:
    """All residents in order of their number."""
    for household in households(count, seed):
        yield from household.members


def _places(random: Random) -> list[_Place]:
    """Draw a household: what kind it is and how old its members are."""
    kind = pick(random, *_kinds())
    family, other = names.surname(random), names.surname(random)
    if kind in {"elder", "single"}:
        ages = (65, 93) if kind == "elder" else (22, 60)
        return [_Place("02", random.random() < 0.45, random.randrange(*ages), family)]
    oldest = {"elder-couple": (61, 90), "couple": (25, 65)}.get(kind, (29, 53))
    husband = random.randrange(*oldest)
    wife = max(22, husband - random.randrange(-1, 6))
    found = [_Place("02", True, husband, family), _Place("12", False, wife, other)]
    if kind in {"couple-child", "couple-two-children", "three-generations"}:
        children = 2 if kind == "couple-two-children" or random.random() < 0.25 else 1
        for _ in range(children):
            age = max(0, wife - random.randrange(23, 35))
            male = random.random() < 0.52
            found.append(_Place("20" if male else "30", male, age, family))
    if kind == "three-generations":
        father = husband + random.randrange(24, 31)
        found.append(_Place("52", False, father - random.randrange(0, 5), names.surname(random)))
        if random.random() < 0.6:
            found.append(_Place("51", True, father, family))
    return found


def _resident(
    random: Random, place: _Place, number: int, *, household: int, address: str, together: bool
) -> Resident:
    spread = (number * 9_973) % _SPREAD
    year, month = AS_OF.year - place.age, random.randrange(1, 13)
    birth = date(year - (month >= AS_OF.month), month, 1 + spread % 28)
    sequence = spread // 28 * 2 + (1 if place.male else 0)
    conditions = _conditions(random, _age(birth))
    return Resident(
        number=number,
        household=household,
        relation=place.relation,
        surname=place.family,
        given=names.given_name(random, birth.year, male=place.male),
        male=place.male,
        birth=birth,
        national_id=identity_number(_division(random, number), birth, sequence),
        health_record=health_record_number(TOWNSHIP, number),
        phone=f"160{number % 100_000_000:08d}",
        address=address,
        ethnic="01" if random.random() < 0.96 else random.choice(("02", "03", "11", "15")),
        marital=_marital(random, place, together),
        education=_education(random, _age(birth)),
        employment=_employment(random, _age(birth)),
        blood_group=random.choices("12345", (28, 24, 34, 9, 5))[0],
        rhesus=random.choices("123", (3, 900, 97))[0],
        payment="01" if random.random() < 0.55 and _age(birth) > 20 else "02",
        conditions=conditions,
        groups=_groups(random, place.male, _age(birth), conditions),
    )


def _age(birth: date) -> int:
    return AS_OF.year - birth.year - ((AS_OF.month, AS_OF.day) < (birth.month, birth.day))


def _division(random: Random, number: int) -> str:
    """Where the number was given out; the second 14,000 residents come from elsewhere."""
    divisions, cumulative = _birthplaces()
    if number < _SPREAD:
        return pick(random, divisions, cumulative)
    return f"4299{number // _SPREAD % 100:02d}"


def _conditions(random: Random, age: int) -> tuple[str, ...]:
    return tuple(
        row["condition"]
        for row in rows("conditions")
        if int(row["age_from"]) <= age <= int(row["age_to"])
        and random.random() * 1000 < float(row["per_mille"])
    )


def _groups(random: Random, male: bool, age: int, conditions: tuple[str, ...]) -> tuple[str, ...]:
    """The key groups of signing: by age, by condition, by circumstance."""
    found = list(conditions)
    if age >= 65:
        found.append("elderly")
    if age <= 6:
        found.append("child")
    if not male and 21 <= age <= 40 and random.random() < 0.045:
        found.append("maternal")
    if random.random() < 0.012:
        found.append("lifted-out-of-poverty")
    if age >= 49 and random.random() < 0.006:
        found.append("special-family-planning")
    return tuple(found)


def _marital(random: Random, place: _Place, together: bool) -> str:
    if place.relation in {"20", "30"}:
        return "10"
    if together and place.relation in {"02", "12"}:
        return "20"
    return random.choices(("10", "30", "40"), (6, 1, 3) if place.age < 55 else (1, 8, 1))[0]


def _education(random: Random, age: int) -> str:
    if age < 18:
        return ("80" if age >= 6 else "90") if age < 12 else "70"
    if age >= 60:
        return random.choices(("70", "80", "60", "30", "90"), (38, 30, 18, 6, 8))[0]
    return random.choices(("10", "20", "30", "40", "60", "70"), (4, 22, 20, 12, 20, 22))[0]


def _employment(random: Random, age: int) -> str:
    if age >= 60:
        return "80"
    if age < 22:
        return "31" if age >= 6 else "90"
    weighted = ("13", "17", "21", "24", "51", "54", "70", "90")
    return random.choices(weighted, (18, 18, 5, 22, 10, 12, 7, 8))[0]


@cache
def _kinds() -> tuple[tuple[str, ...], tuple[float, ...]]:
    table = rows("households")
    return tuple(row["kind"] for row in table), tuple(
        accumulate(float(row["weight"]) for row in table)
    )


@cache
def _birthplaces() -> tuple[tuple[str, ...], tuple[float, ...]]:
    table = rows("birthplaces")
    return tuple(row["division"] for row in table), tuple(
        accumulate(float(row["share"]) for row in table)
    )
