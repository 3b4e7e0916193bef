"""``foreign_uri(authority, own)``: the institution that speaks through another's feed."""

from __future__ import annotations

from typing import Any

from fhir_bridge.fhir.marks import is_null
from fhir_bridge.map_functions.authority_uri import authority_uri

RESULT = "uri"


def foreign_uri(authority: Any, own: Any = ()) -> str | None:
    """The URI of `authority`; nothing when it is one of `own`.

    >>> foreign_uri("JCCH", ["JCCH"]) is None
    True
    """
    own = [own] if isinstance(own, str) else own
    return None if is_null(authority) or str(authority or "") in own else authority_uri(authority)
