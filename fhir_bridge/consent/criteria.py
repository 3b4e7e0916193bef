"""Which resources a provision speaks of: class, code, time, data and security label.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.class

All conditions must hold; within one of them one value is enough.  A condition holds by what the
resource itself says: one without a date lies in no period, one without a label has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from fhir_bridge.consent.codes import ACT_REASON, CONFIDENTIALITY, LEVELS, Code, covers_label
from fhir_bridge.fhir import Resource, parse_reference, walk_references
from fhir_bridge.search import interval

__all__ = ["ANY", "AUTHORS", "CODES", "DATES", "Criteria", "Data", "Span", "ticks"]

DATES = (
    "effectiveDateTime", "effectivePeriod", "effectiveInstant", "performedDateTime",
    "performedPeriod", "occurrenceDateTime", "occurrencePeriod", "date", "authored", "authoredOn",
    "issued", "recordedDate", "recorded", "created", "sent", "whenHandedOver", "period",
    "onsetDateTime", "onsetPeriod", "start", "timingDateTime", "timingPeriod",
)  # fmt: skip
"""Where the time of a resource stands; the first that is there counts."""
AUTHORS = ("author", "performer", "recorder", "asserter", "requester", "sender", "custodian")
"""Where those stand whom a resource comes from, themselves or as ``actor`` of an element."""
CODES = (
    "code", "type", "category", "class", "medicationCodeableConcept", "vaccineCode", "reasonCode",
)  # fmt: skip
"""Where the codes stand that say what a resource is about."""

_RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
_URI = "urn:ietf:rfc:3986"
_CONTENT_TYPE = "urn:ietf:bcp:13"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Data(NamedTuple):
    """A resource that a provision names, and what is meant by it."""

    meaning: str
    reference: str


@dataclass(frozen=True, slots=True)
class Span:
    """A period in ticks (None: open), with its dates as they were written."""

    low: int | None
    high: int | None
    start: str = ""
    end: str = ""

    def meets(self, low: int, high: int) -> bool:
        """Whether some of an interval lies within."""
        return (self.low is None or high >= self.low) and (self.high is None or low <= self.high)


def ticks(moment: datetime) -> int:
    """A moment in ticks of 100 nanoseconds since 1970, as search counts them."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 10


@dataclass(frozen=True, slots=True)
class Criteria:
    """The conditions on a resource; without any it is about every resource.

    `zone` is that of dates without one.
    """

    classes: tuple[Code, ...] = ()
    codes: tuple[Code, ...] = ()
    period: Span | None = None
    data: tuple[Data, ...] = ()
    labels: tuple[Code, ...] = ()
    zone: tzinfo = UTC

    def __bool__(self) -> bool:
        """Whether there is any condition."""
        return bool(self.classes or self.codes or self.period or self.data or self.labels)

    def below(self, parent: Criteria) -> Criteria:
        """The same with each condition that is not named taken from `parent`."""
        return replace(
            self,
            classes=self.classes or parent.classes,
            codes=self.codes or parent.codes,
            period=self.period or parent.period,
            data=self.data or parent.data,
            labels=self.labels or parent.labels,
        )

    def matches(self, resource: Resource, *, permits: bool) -> bool:
        """Whether all conditions hold of a resource.

        `permits` says what a level of confidentiality means: to permit one is to permit those
        below it, to forbid one is to forbid those above it.
        """
        return (
            (not self.classes or self._is_class(resource))
            and (not self.codes or not _codes_of(resource).isdisjoint(self.codes))
            and (self.period is None or self._is_in_period(resource, self.period))
            and (not self.data or any(_is_data(resource, each) for each in self.data))
            and (not self.labels or _has_label(resource, self.labels, permits=permits))
        )

    def _is_class(self, resource: Resource) -> bool:
        profiles = resource.get("meta", {}).get("profile", ())
        own = {
            (_RESOURCE_TYPES, str(resource["resourceType"])),
            *((_URI, str(url)) for url in profiles),
            *((_CONTENT_TYPE, kind) for kind in _content_types(resource)),
            *_codes_of(resource, ("type", "class")),
        }
        return not own.isdisjoint(self.classes)

    def _is_in_period(self, resource: Resource, period: Span) -> bool:
        found = next((resource[name] for name in DATES if resource.get(name)), None)
        if isinstance(found, str):
            instant = interval(found, self.zone)
            return instant is not None and period.meets(*instant)
        if not isinstance(found, dict):
            return False
        low = interval(found["start"], self.zone) if found.get("start") else None
        high = interval(found["end"], self.zone) if found.get("end") else None
        if low is None and high is None:
            return False
        earliest, latest = -(1 << 62), 1 << 62
        return period.meets(low[0] if low else earliest, high[1] if high else latest)


ANY = Criteria()
"""No condition: every resource."""


def _codes_of(resource: Resource, names: tuple[str, ...] = CODES) -> set[Code]:
    return {
        (str(coding.get("system", "")), str(coding.get("code", "")))
        for name in names
        for node in _listed(resource.get(name))
        if isinstance(node, dict)
        for coding in node.get("coding", (node,))
    }


def _content_types(resource: Resource) -> Iterator[str]:
    if resource["resourceType"] == "Binary":
        yield str(resource.get("contentType", ""))
    for content in _listed(resource.get("content")):
        if isinstance(content, dict):
            yield str(content.get("attachment", {}).get("contentType", ""))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_data(resource: Resource, data: Data) -> bool:
    """Related and dependent data are the resource itself and whatever refers to it."""
    if data.meaning == "authoredby":
        return data.reference in set(_authors(resource))
    if data.reference == f"{resource['resourceType']}/{resource.get('id')}":
        return True
    return data.meaning != "instance" and data.reference in set(_references(resource))


def _authors(resource: Resource) -> Iterator[str]:
    for name in AUTHORS:
        for node in _listed(resource.get(name)):
            if isinstance(node, dict):
                yield from _references([node, node.get("actor")])


def _references(node: Any) -> Iterator[str]:
    for each in walk_references(node):
        parsed = parse_reference(each["reference"])
        if parsed is not None and parsed.id:
            base = f"{parsed.base.rstrip('/')}/" if parsed.base else ""
            yield f"{base}{parsed.resource_type}/{parsed.id}"


def _has_label(resource: Resource, labels: tuple[Code, ...], *, permits: bool) -> bool:
    own = {
        (str(each.get("system", "")), str(each.get("code", "")))
        for each in resource.get("meta", {}).get("security", ())
        if each.get("system") != ACT_REASON
    }
    level = max(
        (LEVELS.index(code) for system, code in own if _is_level((system, code))), default=-1
    )
    for label in labels:
        if _is_level(label):
            bound = LEVELS.index(label[1])
            if level >= 0 and (level <= bound if permits else level >= bound):
                return True
        elif any(covers_label(label, each) for each in own):
            return True
    return False


def _is_level(label: Code) -> bool:
    return label[0] == CONFIDENTIALITY and label[1] in LEVELS
