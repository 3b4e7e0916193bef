"""Pieces of documents: a bare section, entry or header part, and prefixes that nobody declared.

Guides publish their samples so (https://github.com/HL7/C-CDA-Examples), and people paste such
pieces when they try a map.  A piece is hung into a document that says nothing else; a feed of
a hospital never takes one, because it does not say whom it is about.
"""

from __future__ import annotations

import re

from fhir_bridge import xml

__all__ = ["complete", "declare_prefixes"]

_BODY = ("component", "structuredBody", "component")
_ENTRY = (*_BODY, "section", "entry")
_HEADER = (
    "recordTarget",
    "author",
    "dataEnterer",
    "informant",
    "custodian",
    "informationRecipient",
    "legalAuthenticator",
    "authenticator",
    "participant",
    "inFulfillmentOf",
    "documentationOf",
    "relatedDocument",
    "authorization",
    "componentOf",
)
_ACTS = (
    "observation",
    "act",
    "organizer",
    "procedure",
    "substanceAdministration",
    "supply",
    "encounter",
    "observationMedia",
    "regionOfInterest",
)
# The elements between ClinicalDocument and a piece (CDA R2 section 4.3).
_HOLDERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_HEADER, ()),
    "structuredBody": ("component",),
    "nonXMLBody": ("component",),
    "section": _BODY,
    "entry": _ENTRY[:-1],
    **dict.fromkeys(_ACTS, _ENTRY),
    "entryRelationship": (*_ENTRY, "act"),
    "reference": (*_ENTRY, "act"),
    "externalDocument": (*_ENTRY, "act", "reference"),
    "referenceRange": (*_ENTRY, "observation"),
    "participantRole": (*_ENTRY, "act", "participant"),
    "playingEntity": (*_ENTRY, "act", "participant", "participantRole"),
    "subject": (*_ENTRY, "act"),
    "relatedSubject": (*_ENTRY, "act", "subject"),
    "precondition": (*_ENTRY, "act"),
    "consumable": (*_ENTRY, "substanceAdministration"),
    "manufacturedProduct": (*_ENTRY, "substanceAdministration", "consumable"),
    "serviceEvent": ("documentationOf",),
    "performer": ("documentationOf", "serviceEvent"),
    "assignedEntity": ("documentationOf", "serviceEvent", "performer"),
    "assignedAuthor": ("author",),
    "patientRole": ("recordTarget",),
    "patient": ("recordTarget", "patientRole"),
    "encompassingEncounter": ("componentOf",),
    "encounterParticipant": ("componentOf", "encompassingEncounter"),
    "criterion": (*_ENTRY, "act", "precondition"),
    "addr": ("recordTarget", "patientRole"),
    "telecom": ("recordTarget", "patientRole"),
    "name": ("recordTarget", "patientRole", "patient"),
    "signatureText": ("legalAuthenticator",),
}
_DECLARATIONS = (
    (b"xmlns", b"urn:hl7-org:v3"),
    (b"xmlns:xsi", b"http://www.w3.org/2001/XMLSchema-instance"),
    (b"xmlns:sdtc", b"urn:hl7-org:sdtc"),
)
_NAME = re.compile(rb"<[A-Za-z_][A-Za-z0-9_.:-]*")


def complete(root: xml.Element) -> xml.Element | None:
    """A ClinicalDocument around the piece `root`; None when `root` is no piece of one.

    One without recordTarget gets an empty one.
    """
    tag = str(root.tag)
    space, name = (tag[: tag.index("}") + 1], tag.rpartition("}")[2]) if "}" in tag else ("", tag)
    if name == "ClinicalDocument":
        if root.find(f"{space}recordTarget") is None:
            _append_path(root, space, ("recordTarget", "patientRole"))
        return root
    holders = _component_holders(root, space) if name == "component" else _HOLDERS.get(name)
    if holders is None:
        return None
    document = root.makeelement(f"{space}ClinicalDocument")
    if "recordTarget" not in (name, *holders):
        _append_path(document, space, ("recordTarget", "patientRole"))
    _append_path(document, space, holders).append(root)
    return document


def declare_prefixes(data: bytes) -> bytes | None:
    """`data` with xsi, sdtc and the default namespace declared at its root; None if all are."""
    start = _root_start(data)
    found = _NAME.match(data, start) if start >= 0 else None
    end = data.find(b">", start)
    if found is None or end < 0:
        return None
    tag = data[start:end]
    missing = b"".join(
        b' %s="%s"' % declaration
        for declaration in _DECLARATIONS
        if not re.search(rb"\s%s\s*=" % re.escape(declaration[0]), tag)
    )
    return data[: found.end()] + missing + data[found.end() :] if missing else None


def _component_holders(root: xml.Element, space: str) -> tuple[str, ...] | None:
    """A component is in the document, in a body or section, or in an organizer."""
    inner = {str(child.tag).removeprefix(space) for child in root}
    if inner & {"structuredBody", "nonXMLBody"}:
        return ()
    if "section" in inner:
        return _BODY[:-1]
    return (*_ENTRY, "organizer") if inner & set(_ACTS) else None


def _append_path(document: xml.Element, space: str, names: tuple[str, ...]) -> xml.Element:
    """The innermost of new elements `names`, one inside the other, under `document`."""
    current = document
    for name in names:
        inner = current.makeelement(f"{space}{name}")
        current.append(inner)
        current = inner
    return current


def _root_start(data: bytes) -> int:
    """Where the root's start tag begins, after declaration, comments and blanks; -1 if nowhere."""
    place = data.find(b"<")
    while place >= 0:
        if data.startswith(b"<?", place):
            end = data.find(b"?>", place)
        elif data.startswith(b"<!--", place):
            end = data.find(b"-->", place)
        else:
            return place
        place = data.find(b"<", end) if end >= 0 else -1
    return -1
