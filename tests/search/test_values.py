"""Dates, numbers, names and references as they are indexed and asked."""

from __future__ import annotations

from datetime import timedelta, timezone
from decimal import Decimal

import pytest

from fhir_bridge.fhir import definitions
from fhir_bridge.search import Indexer, Registry, fold, interval, name_forms, parse_search
from fhir_bridge.search.hashing import posting, value_range
from fhir_bridge.search.types.number import precision
from fhir_bridge.search.types.quantity import listed_units
from fhir_bridge.search.types.token_rows import by_code, codes_listed

_DAY = 86_400 * 10_000_000


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2024", 366),
        ("2023", 365),
        ("1900", 365),
        ("2024-02", 29),
        ("2024-12", 31),
        ("2024-02-29", 1),
    ],
)
def test_a_date_is_as_wide_as_its_precision(text: str, days: int) -> None:
    """Years and months know their days."""
    found = interval(text)
    assert found
    assert found[1] - found[0] + 1 == days * _DAY


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "24", "0000", "2023-02-29", "2024-13", "2024-1-1", "2024-01-01T25:00", "０"),
        *("2024-01-01T10:00:61", "2024-01-01T10:00:00+14:01", "2024-01-01T10:00:00+08:60"),
    ],
)
def test_what_is_not_a_date_has_no_interval(text: str) -> None:
    """Nothing is guessed."""
    assert interval(text) is None


def test_a_zone_is_counted_and_a_missing_one_is_the_registrys() -> None:
    """Midnight in China is 16:00 UTC of the day before."""
    china = timezone(timedelta(hours=8))
    assert interval("2024-01-01", china) == interval("2024-01-01", china)
    local = interval("2024-01-01", china)
    assert local
    assert local[0] == interval("2023-12-31T16:00:00Z")[0]  # type: ignore[index]
    assert interval("2024-01-01T08:00:00+08:00") == interval("2024-01-01T00:00:00Z")
    assert interval("2024-01-01T08:00:00 08:00") == interval("2024-01-01T00:00:00Z")


def test_a_code_is_in_a_value_set_whatever_system_the_element_implies() -> None:
    """A status has no system of its own; a coding is in the set with its system only."""
    codes = [("http://hl7.org/fhir/observation-status", "final")]
    registry = Registry(definitions(), value_set_codes=lambda _: codes)

    def texts(code: str) -> object:
        search = parse_search("Observation", [(f"{code}:in", "urn:set")], registry)
        (condition,) = search.types[0][1].conditions  # type: ignore[union-attr]
        return condition.values

    assert texts("status") == ("\x00final",)
    assert texts("code") == ("http://hl7.org/fhir/observation-status|final",)


@pytest.mark.parametrize(
    ("text", "half"), [("5", "0.5"), ("5.00", "0.005"), ("5e2", "50"), ("2E-3", "0.0005")]
)
def test_a_number_is_as_wide_as_its_last_digit(text: str, half: str) -> None:
    """Exponents count."""
    assert precision(text) == (Decimal(text), Decimal(half))


@pytest.mark.parametrize("text", ["", "five", "1e999999", "NaN", "٣", "1" * 300, "--1"])
def test_what_is_not_a_number_has_no_precision(text: str) -> None:
    """Also numbers beyond every measure."""
    assert precision(text) is None


@pytest.mark.parametrize(
    ("text", "folded"),
    [("ÅSA  Öberg", "asa oberg"), ("ＬＩＵ　ｙａｎｇ", "liu yang"), ("張學友", "张学友"),
     ("STRASSE", "strasse"), ("Straße", "strasse"), ("が", "が"), ("a\x00b", "ab")],
)  # fmt: skip
def test_text_folds_to_what_people_mean(text: str, folded: str) -> None:
    """Case, accents, width and traditional characters."""
    assert fold(text) == folded


def test_a_surname_is_read_as_a_surname() -> None:
    """The table stands over the usual reading; both readings of an unclear one count."""
    assert "zengguofan" in name_forms("曾国藩")
    assert {"yueyun", "leyun"} <= set(name_forms("乐云"))
    assert "ouyangxiu" in name_forms("欧阳修")
    assert "wanqijun" not in name_forms("万俟军")
    assert name_forms("smith") == ()


def test_postings_of_one_parameter_lie_together() -> None:
    """The number of the parameter is the upper part."""
    first, last = value_range(7)
    assert first <= posting(7, "x") <= last < posting(8, "x")


def test_index_rows_of_an_observation(registry: Registry) -> None:
    """Each kind of value goes to its table; the patient is who it belongs to."""
    numbers = {symbol: place for place, symbol in enumerate(registry.symbols, 1)}
    rows = Indexer(registry, numbers).rows(
        {
            "resourceType": "Observation",
            "id": "o",
            "status": "final",
            "code": {"coding": [{"system": "s", "code": "c", "display": "Glucose"}]},
            "subject": {"reference": "Patient/p"},
            "effectiveDateTime": "2024-01-01T00:00:00Z",
            "valueQuantity": {
                "value": Decimal(5),
                "system": "http://unitsofmeasure.org",
                "code": "mg",
            },
        }
    )
    number = registry.symbols.index("Observation.code") + 1
    assert posting(number, "s|c") in rows.postings
    assert not rows.postings & {posting(number, text) for text in ("\x00c", "s|")}
    assert rows.date == 1_704_067_200_000
    assert sorted(low for _, low, _ in rows.dates) == [17_040_672_000_000_000]
    assert list(rows.references.values()) == [True]
    assert sorted(low for _, low, *_ in rows.quantities) == [5.0]
    assert {(n, text) for n, text, _ in rows.terms if n != by_code(number)} == {
        (number, "glucose"),
        (-number, "s|c"),
        (listed_units(registry.symbols.index("Observation.value-quantity") + 1), "mg"),
    }
    first, last = codes_listed("c")
    listed = [each for each in rows.terms if each[0] == by_code(number)]
    assert [each[2] for each in listed if first <= each[1] < last] == [posting(number, "s|c")]
    patient, subject = (
        registry.symbols.index(f"Observation.{code}") + 1 for code in ("patient", "subject")
    )
    assert posting(patient, "Patient/p") in rows.postings
    assert posting(subject, "Patient/p") not in rows.postings


def test_a_parameter_that_others_hold_has_no_index(registry: Registry) -> None:
    """A union is asked of its parts, another name of the first; a site's own stands alone."""
    assert registry.sources("Observation", "combo-code") == ("code", "component-code")
    assert registry.sources("Patient", "phonetic") == ("name",)
    assert registry.sources("Observation", "code") == ("code",)
    own = {
        "resourceType": "SearchParameter",
        "url": "urn:own",
        "code": "aaa",
        "type": "token",
        "base": ["Observation"],
        "expression": "Observation.code",
    }
    extended = Registry(definitions(), [own])
    assert extended.sources("Observation", "aaa") == ("code",)
    assert extended.sources("Observation", "code") == ("code",)


def test_a_sites_own_parameter_replaces_a_published_one() -> None:
    """The same code of the same type is the site's."""
    own = {
        "resourceType": "SearchParameter",
        "url": "urn:own",
        "code": "name",
        "type": "string",
        "base": ["Patient", "Person"],
        "expression": "Patient.name.given | Person.name.given",
    }
    registry = Registry(definitions(), [own])
    assert registry.parameters("Patient")["name"].expression == "Patient.name.given"
    assert registry.parameters("Person")["name"].url == "urn:own"


def test_a_type_left_out_of_the_compartment_joins_by_its_patient(registry: Registry) -> None:
    """A Contract belongs to its patient, a Practitioner to none."""
    assert registry.compartment("Contract") == ("patient",)
    assert registry.compartment("Practitioner") == ()
