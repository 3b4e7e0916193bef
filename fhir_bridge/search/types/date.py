"""Date search parameters: every value is an interval as wide as its precision.

https://hl7.org/fhir/R4/search.html#date and #prefix; the intervals are those of `interval`.
``_lastUpdated`` is compared with the time of the last change, which is no index.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from fhir_bridge import clock
from fhir_bridge.search.conditions import AllOf, AnyOf, Between, Condition, Updated, nothing
from fhir_bridge.search.escaping import Written
from fhir_bridge.search.rows import IndexRows
from fhir_bridge.search.types.interval import (
    DAY,
    EARLIEST,
    LATEST,
    MILLISECOND,
    interval,
    midnight,
)
from fhir_bridge.search.types.prefix import ORDERED, split_prefix
from fhir_bridge.search.types.search_type import (
    Index,
    Parameter,
    SearchType,
    Slot,
    Typed,
    expected,
    over_indexes,
)

__all__ = ["Date", "DateValue", "LastUpdated"]


@dataclass(frozen=True, slots=True)
class DateValue:
    """An interval to compare with, in ticks."""

    prefix: str
    low: int
    high: int


class Date(SearchType[DateValue]):
    """A date, dateTime, instant, Period or Timing."""

    table = "dates"
    is_sortable = True
    is_joint = True

    def operators(self, parameter: Parameter) -> tuple[str, ...]:
        """Every comparison, and the overlap of a period."""
        return (*ORDERED, "po", "pr")

    def read(self, parameter: Parameter, modifier: str, written: Written) -> DateValue:
        """``[prefix]date``."""
        return _value(parameter, *split_prefix(written.text))

    def match(self, index: Index, value: DateValue) -> Condition:
        """The comparison with the intervals of a resource."""
        return _compared(index, value)

    def compare(self, parameter: Parameter, operator: str, written: Written) -> Condition:
        """``po`` takes a date or the period ``start/end``, the others a date."""
        if operator == "po":
            overlap = _period(parameter, written.text)
            return over_indexes(
                parameter,
                lambda index: Between(index.symbol, low_max=overlap.high, high_min=overlap.low),
            )
        return self.on_indexes(parameter, _value(parameter, operator, written.text))

    def extract(
        self, parameter: Parameter, slot: Slot, values: list[Typed], rows: IndexRows
    ) -> None:
        """A row for each interval; one that its start alone cannot find under the negative key."""
        zone = parameter.settings.zone
        intervals = [each for kind, value in values for each in _intervals(kind, value, zone)]
        is_regular = len(intervals) == 1 and intervals[0][1] - intervals[0][0] < DAY
        key = slot.key if is_regular or slot.is_context else -slot.key
        for low, high in intervals:
            rows.dates.add((key, low, high))
        if parameter.is_main_date and intervals and not slot.is_context:
            earliest = min(low if low > EARLIEST else high for low, high in intervals)
            rows.date = earliest // MILLISECOND


class LastUpdated(Date):
    """``_lastUpdated``: one instant, in milliseconds, that every resource has."""

    def compare(self, parameter: Parameter, operator: str, written: Written) -> Condition:
        """An instant overlaps what it lies in."""
        prefix = "eq" if operator == "po" else operator
        return _updated(_value(parameter, prefix, written.text))

    def match(self, index: Index, value: DateValue) -> Condition:
        """The comparison with the row itself."""
        return _updated(value)

    def present(self, parameter: Parameter) -> Condition:
        """Always."""
        return AllOf()

    def absent(self, parameter: Parameter) -> Condition:
        """Never."""
        return nothing()

    def extract(
        self, parameter: Parameter, slot: Slot, values: list[Typed], rows: IndexRows
    ) -> None:
        """The row has it already."""


def _value(parameter: Parameter, prefix: str, text: str) -> DateValue:
    ends = interval(text, parameter.settings.zone)
    if ends is None:
        form = "a date such as 2026, 2026-01, 2026-01-31 or 2026-01-31T08:30:00Z"
        raise expected(parameter, form)
    return DateValue(prefix, *ends)


def _period(parameter: Parameter, text: str) -> DateValue:
    start, _, end = text.partition("/")
    first = interval(start, parameter.settings.zone)
    last = interval(end, parameter.settings.zone) if end else first
    if first is None or last is None:
        raise expected(parameter, "a date, or two joined by /")
    return DateValue("po", first[0], last[1])


def _compared(index: Index, value: DateValue) -> Condition:
    low, high = value.low, value.high

    def between(**bounds: int) -> Between:
        return Between(index.symbol, context=index.context, **bounds)

    inside = between(low_min=low, high_max=high)
    match value.prefix:
        case "ne":
            return AnyOf((between(low_max=low - 1), between(high_min=high + 1)))
        case "gt":
            return between(high_min=high + 1)
        case "lt":
            return between(low_max=low - 1)
        case "ge":
            return AnyOf((between(high_min=high + 1), inside))
        case "le":
            return AnyOf((between(low_max=low - 1), inside))
        case "sa":
            return between(low_min=high + 1)
        case "eb":
            return between(high_max=low - 1)
        case "ap":
            slack = _slack(value)
            return between(low_max=high + slack, high_min=low - slack)
        case _:
            return inside


def _updated(value: DateValue) -> Condition:
    first, last = -(-value.low // MILLISECOND), value.high // MILLISECOND
    match value.prefix:
        case "ne":
            return AnyOf((Updated(high=first - 1), Updated(low=last + 1)))
        case "gt" | "sa":
            return Updated(low=last + 1)
        case "lt" | "eb":
            return Updated(high=first - 1)
        case "ge":
            return Updated(low=first)
        case "le":
            return Updated(high=last)
        case "ap":
            slack = _slack(value) // MILLISECOND
            return Updated(low=first - slack, high=last + slack)
        case _:
            return AllOf((Updated(low=first, high=last),))


def _slack(value: DateValue) -> int:
    """Ticks that "approximately" reaches beyond both ends: a tenth of the time from it to now.

    Now is the beginning of the day, so that the pages of a search stay the same search.
    """
    today = midnight(clock.now().date())
    return max(abs(today - value.low), value.high - value.low, DAY) // 10


def _intervals(kind: str, value: Any, zone: tzinfo) -> Iterable[tuple[int, int]]:
    """The intervals of one element: a date, a Period, or the outer limits of a Timing."""
    if isinstance(value, str):
        ends = interval(value, zone)
        return (ends,) if ends else ()
    if not isinstance(value, dict):
        return ()
    if kind == "Timing" or "event" in value or "repeat" in value:
        return _timing(value, zone)
    start, end = value.get("start"), value.get("end")
    low = interval(start, zone) if isinstance(start, str) else None
    high = interval(end, zone) if isinstance(end, str) else None
    if low is None and high is None:
        return ()
    return ((low[0] if low else EARLIEST, high[1] if high else LATEST),)


def _timing(value: dict[str, Any], zone: tzinfo) -> Iterable[tuple[int, int]]:
    events = value.get("event") or []
    ends = [interval(event, zone) for event in events if isinstance(event, str)]
    intervals = [each for each in ends if each]
    repeat = value.get("repeat")
    bounds = repeat.get("boundsPeriod") if isinstance(repeat, dict) else None
    if isinstance(bounds, dict):
        intervals.extend(_intervals("Period", bounds, zone))
    if not intervals:
        return ()
    return ((min(low for low, _ in intervals), max(high for _, high in intervals)),)
