"""A family-doctor agreement as a page shows it: parties, period, packages, who pays what.

The shape is that of the profile ``fd-contract``: one ``term.asset`` with ``valuedItem`` for
each package, one valued item for each payer with the extension ``funding-source``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import reduce
from itertools import islice
from typing import Any

from fhir_bridge.console.reader import Reader
from fhir_bridge.console.record.reference import ReferenceLink, view_reference
from fhir_bridge.console.text.display import (
    MAX_ITEMS,
    concept_text,
    day,
    first,
    list_of,
    money_text,
    period_text,
)
from fhir_bridge.console.text.terms import Terms
from fhir_bridge.fhir import Resource

__all__ = ["ContractView", "view_contract"]

_MAX_PACKAGES, _MAX_PAYERS = 50, 8
"""Rows and columns of the table of fees."""

_ARITHMETIC = Context(prec=28, traps=[])

FUNDING = "https://fhir-bridge.org/fhir/StructureDefinition/funding-source"


@dataclass(frozen=True, slots=True)
class PackageView:
    """A package of the agreement: what each payer pays, in the order of the payers."""

    name: str
    reference: str
    shares: tuple[str, ...]
    price: str


@dataclass(frozen=True, slots=True)
class ContractView:
    """One agreement."""

    reference: str
    number: str
    status: str
    status_text: str
    period: str
    issued: str
    institutions: tuple[ReferenceLink, ...]
    signers: tuple[ReferenceLink, ...]
    payers: tuple[str, ...]
    packages: tuple[PackageView, ...]
    totals: tuple[str, ...]


def view_contract(
    contract: Resource, reader: Reader, terms: Terms, status_text: str, language: str
) -> ContractView:
    """The view of `contract`; names of other parties are read where the record has them."""
    assets = (asset for term in list_of(contract, "term") for asset in list_of(term, "asset"))
    priced = list(islice((each for each in assets if list_of(each, "valuedItem")), _MAX_PACKAGES))
    found = (
        _payer(item, reader, terms, language)
        for asset in priced
        for item in list_of(asset, "valuedItem")
    )
    payers = list(dict.fromkeys(islice(found, MAX_ITEMS)))[:_MAX_PAYERS]
    amounts = [
        _amounts(asset, payers, lambda i: _payer(i, reader, terms, language)) for asset in priced
    ]
    packages = tuple(
        PackageView(
            name=_package_name(asset, terms, language),
            reference=_package_reference(asset),
            shares=tuple(_yuan(amount) for amount in row),
            price=_yuan(_sum(filter(None, row))),
        )
        for asset, row in zip(priced, amounts, strict=True)
    )
    totals = [_sum(filter(None, column)) for column in zip(*amounts, strict=True)]
    return ContractView(
        reference=f"Contract/{contract['id']}",
        number=str(first(contract, "identifier", "value") or contract["id"]),
        status=str(contract.get("status", "")),
        status_text=status_text,
        period=period_text(contract.get("applies")),
        issued=day(contract.get("issued")),
        institutions=tuple(view_reference(each, reader) for each in list_of(contract, "authority")),
        signers=tuple(
            view_reference(each.get("party"), reader) for each in list_of(contract, "signer")
        ),
        payers=tuple(payers),
        packages=packages,
        totals=(*map(_yuan, totals), _yuan(_sum(totals))) if payers else (),
    )


def _payer(item: dict[str, Any], reader: Reader, terms: Terms, language: str) -> str:
    for extension in list_of(item, "extension"):
        if extension.get("url") == FUNDING:
            return terms.coding(extension.get("valueCoding"), language)
    return view_reference(item.get("responsible"), reader).text


def _amounts(
    asset: dict[str, Any], payers: list[str], payer: Callable[[dict[str, Any]], str]
) -> list[Decimal | None]:
    found: dict[str, Decimal] = {}
    for item in list_of(asset, "valuedItem"):
        value = first(item, "net", "value")
        if value is not None:
            found[payer(item)] = _sum((found.get(payer(item), Decimal(0)), Decimal(str(value))))
    return [found.get(each) for each in payers]


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum; where it has no room in a decimal it is infinite, and the page still stands."""
    return reduce(_ARITHMETIC.add, amounts, Decimal(0))


def _yuan(amount: Decimal | None) -> str:
    return "" if amount is None else money_text({"value": amount})


def _package_name(asset: dict[str, Any], terms: Terms, language: str) -> str:
    written = first(asset, "typeReference", "display") or asset.get("condition")
    context = first(asset, "context", "text") or concept_text(first(asset, "context", "code"))
    kind = ", ".join(terms.concept(each, language) for each in list_of(asset, "type"))
    return str(
        asset.get("text") or written or context or concept_text(first(asset, "subtype")) or kind
    )


def _package_reference(asset: dict[str, Any]) -> str:
    reference = str(first(asset, "typeReference", "reference") or "")
    return reference if reference.count("/") == 1 else ""
