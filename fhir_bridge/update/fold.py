"""One resource from what all sources said of it.

The statements come in the order of precedence.  Of a single element the first stated value
shows, a usual one only where nobody stated any; what is taken back or withdrawn uncovers the
next.  Lists of some types (Patient) are united: every source's items, each thing once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fhir_bridge.fhir import Resource, render_json

from .rules import UpdateRules
from .slots import Slots, resource_of
from .statement import REST, SourceStatement

__all__ = ["fold", "folded_slots"]


def fold(
    kind: str, id_: str, statements: Sequence[SourceStatement], rules: UpdateRules
) -> Resource:
    """The resource of all `statements`, which are given in the order of precedence."""
    return resource_of(kind, id_, folded_slots(kind, statements, rules))


def folded_slots(kind: str, statements: Sequence[SourceStatement], rules: UpdateRules) -> Slots:
    """What `statements` show, by slot."""
    live = [said for said in statements if not said.withdrawn]
    if len(live) == 1 and not live[0].hidden:
        return live[0].slots
    live.sort(key=lambda said: said.source != REST)  # stable: a client's statement takes precedence
    hidden = {slot: until for said in live for slot, until in _covered(said)}
    slots: Slots = {}
    supposed: Slots = {}
    for said in live:
        for slot, value in said.slots.items():
            if said.source != REST and said.time(slot) <= hidden.get(slot, -1):
                continue
            shown = supposed if slot in said.usual else slots
            if slot not in shown:
                shown[slot] = value
            elif kind in rules.united and said.source != REST:
                shown[slot] = _united(slot, shown[slot], value)
    return slots | {slot: value for slot, value in supposed.items() if slot not in slots}


def _covered(said: SourceStatement) -> Iterator[tuple[str, int]]:
    """What a client of the REST interface replaced or removed, and up to what time."""
    if said.source == REST:
        yield from ((slot, said.time(slot)) for slot in said.slots)
        yield from said.hidden.items()


def _united(slot: str, known: Any, more: Any) -> Any:
    """The items of two sources, each once; a single value or a stated whole stays."""
    if isinstance(known, list):
        return _once(slot.partition("{")[0], [*known, *more])
    (key, items), *others = known.items()
    if others or not isinstance(items, list) or not isinstance(more.get(key), list):
        return known
    return {key: _once(key, [*items, *more[key]])}


def _once(name: str, items: list[Any]) -> list[Any]:
    identity = _SAME.get(name, _whole)
    kept: dict[Any, Any] = {}
    for item in items:
        kept.setdefault(identity(item), item)
    return list(kept.values())


def _whole(item: Any) -> Any:
    return render_json(item) if isinstance(item, dict | list) else item


def _number(item: Resource) -> Any:
    if "value" not in item:
        return _whole(item)
    return item.get("system"), str(item["value"]).upper()


def _name(item: Resource) -> Any:
    text = item.get("text") or f"{item.get('family', '')}{''.join(item.get('given', []))}"
    return item.get("use"), "".join(text.split())


_SAME: dict[str, Callable[[Any], Any]] = {
    "identifier": _number,
    "telecom": _number,
    "name": _name,
}
