"""``number_system(authority, facility, application, own, system, kind)``: whose number it is.

HL7 v2.5.1 section 2.A.14 (CX-4, CX-5).  The numbers of persons and visits that the feed's own
institution gives out have the system that the feed names, so that its other interfaces meet
the same person and the same visit.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.map_functions.authority_uri import authority_uri

RESULT = "uri"

_OF_PERSONS = frozenset({"PI", "MR", "PN", "PT"})


def number_system(  # noqa: PLR0917 - as a map calls it
    authority: Any,
    facility: Any = None,
    application: Any = None,
    own: Any = (),
    system: str | None = None,
    kind: str | None = None,
) -> str | None:
    """`system` when the authority (else the facility) is one of `own`, else the authority's URI.

    `kind` is the type of a person's number; those of other types (a card, an insurance) keep
    their authority.

    >>> number_system(None, "JCCH", None, ["JCCH"], "urn:own")
    'urn:own'
    """
    speaker = facility if authority is None else authority
    own = [own] if isinstance(own, str) else own
    if speaker is not None and own and system and (kind is None or str(kind) in _OF_PERSONS):
        name = speaker.get("s1") if hasattr(speaker, "get") else speaker
        if str(name or "") in own:
            return system
    return authority_uri(authority, facility, application)
