"""The UCUM functional tests: ``ucum/UcumFunctionalTests.xml`` as published.

Results are compared as the suite asks: by value at the number of significant digits that
the expected outcome is written with.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal
from pathlib import Path

from fhir_bridge import ucum, xml
from tests.conformance.result import Result


def run(tree: Path) -> Iterator[Result]:
    """Every case of every group."""
    root = xml.parse(next(tree.rglob("UcumFunctionalTests.xml")).read_bytes())
    for group in root:
        for index, case in enumerate(group.iterfind("case")):
            note = _CHECKS[str(group.tag)](case)
            yield Result(
                f"{group.tag}/{case.get('id')}#{index}",
                "failed" if note else "passed",
                note,
                group=str(group.tag),
            )


def _validation(case: xml.Element) -> str:
    expected = case.get("valid") == "true"
    found = ucum.is_valid(case.get("unit", ""))
    return "" if found is expected else f"{case.get('unit')}: valid {expected}, found {found}"


def _display(case: xml.Element) -> str:
    found = ucum.display(case.get("unit", ""))
    return "" if found == case.get("display") else f"expected {case.get('display')}, found {found}"


def _conversion(case: xml.Element) -> str:
    value = Decimal(case.get("value", ""))
    found = ucum.convert(value, case.get("srcUnit", ""), case.get("dstUnit", ""))
    return _differs(found, case.get("outcome", ""), case)


def _multiplication(case: xml.Element) -> str:
    return _combined(case, ucum.multiply)


def _division(case: xml.Element) -> str:
    return _combined(case, ucum.divide)


def _combined(case: xml.Element, combine: object) -> str:
    left = (Decimal(case.get("v1", "")), case.get("u1", ""))
    right = (Decimal(case.get("v2", "")), case.get("u2", ""))
    result = combine(left, right)  # type: ignore[operator]
    found = result and ucum.convert(*result, case.get("uRes", ""))
    return _differs(found, case.get("vRes", ""), case)


def _differs(found: Decimal | None, expected: str, case: xml.Element) -> str:
    if found is None:
        return f"no result for {dict(case.attrib)}"
    digits = len(Decimal(expected).as_tuple().digits)
    rounded = Context(prec=digits).plus(found)
    return "" if rounded == Decimal(expected) else f"expected {expected}, found {found}"


_CHECKS = {
    "history": lambda _case: "",
    "validation": _validation,
    "displayNameGeneration": _display,
    "conversion": _conversion,
    "multiplication": _multiplication,
    "division": _division,
}
