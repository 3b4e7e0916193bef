"""Which type a search parameter has: the one place that reads a type's name.

https://hl7.org/fhir/R4/valueset-search-param-type.html.  A few parameters are answered in their
own way whatever their type says; ``_query`` and other parameters of type ``special`` are not
answered.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.fhir import SearchParameter
from fhir_bridge.search.types.composite import Composite
from fhir_bridge.search.types.date import Date, LastUpdated
from fhir_bridge.search.types.near import Near
from fhir_bridge.search.types.number import Number
from fhir_bridge.search.types.quantity import Quantity
from fhir_bridge.search.types.reference import Reference
from fhir_bridge.search.types.search_type import SearchType
from fhir_bridge.search.types.special import Id, Narrative, WholeContent
from fhir_bridge.search.types.string import String
from fhir_bridge.search.types.token import Token
from fhir_bridge.search.types.uri import Uri

__all__ = [
    "COMPOSITE",
    "DATE",
    "NARRATIVE",
    "REFERENCE",
    "STRING",
    "TOKEN",
    "URI",
    "search_type_of",
]

COMPOSITE, DATE, REFERENCE, STRING = Composite(), Date(), Reference(), String()
NARRATIVE, TOKEN, URI = Narrative(), Token(), Uri()

_BY_TYPE: dict[str, SearchType[Any]] = {
    "composite": COMPOSITE,
    "date": DATE,
    "number": Number(),
    "quantity": Quantity(),
    "reference": REFERENCE,
    "string": STRING,
    "token": TOKEN,
    "uri": URI,
}
_BY_CODE: dict[str, SearchType[Any] | None] = {
    "_content": WholeContent(),
    "_filter": None,
    "_id": Id(),
    "_lastUpdated": LastUpdated(),
    "_query": None,
    "_text": NARRATIVE,
}
_SPECIAL: dict[str, SearchType[Any]] = {"near": Near()}


def search_type_of(parameter: SearchParameter) -> SearchType[Any] | None:
    """The type of a parameter; None for one that has no values of its own to search."""
    if parameter.code in _BY_CODE:
        return _BY_CODE[parameter.code]
    if parameter.type == "special":
        return _SPECIAL.get(parameter.code)
    return _BY_TYPE.get(parameter.type)
