"""How an entry is stated: as a description or a mention, in time or late, by whom and when."""

from __future__ import annotations

from typing import Any

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource
from fhir_bridge.update import UpdateRules

from .containers import Container, Containers
from .entries import Entry, Task, drop_late, event_time
from .stating import Saying

__all__ = ["credible_time", "level_of", "saying_of", "timely"]

_SUBJECTS = ("subject", "patient", "beneficiary", "for")


def credible_time(bundle: Resource, received: int, rules: UpdateRules) -> tuple[int, list[Issue]]:
    """When it happened (ms since 1970); what nobody can know yet happened when it came.

    A clock set wrong, or a year mistyped, would else win over all that is said until then.
    """
    at = event_time(bundle, received)
    if at <= received + rules.ahead_hours * 3_600_000:
        return at, []
    said = str(bundle.get("timestamp", ""))
    return received, [Issue("FB-6317", "warning", details={"time": said})]


def level_of(entry: Entry, task: Task) -> int:
    """0 for what an entry describes, 1 for what it only mentions."""
    return 1 if entry.is_shared or entry.resource["resourceType"] in task.mentions else 0


def timely(
    entries: list[Entry],
    whole: Container | None,
    containers: Containers,
    task: Task,
) -> list[Entry]:
    """The entries without what an older version says of a container that came before.

    Of a Bundle that is late as a `whole` only shared things count.
    """
    is_late = whole is not None and not containers.opens(whole)
    late = [
        entry
        for entry in entries
        if (is_late and not entry.is_shared)
        or (
            entry.container is not None
            and level_of(entry, task) == 0
            and not containers.opens(entry.container)
        )
    ]
    if not late:
        return entries
    kept = [entry for entry in entries if entry not in late]
    drop_late(kept, late, task)
    return kept


def saying_of(entry: Entry, level: int, task: Task) -> Saying:
    """Who states an entry, when, and as part of what."""
    container = entry.container.key if entry.container is not None and not level else 0
    resource, persons, person = entry.resource, task.heard.keys, 0
    for name in _SUBJECTS:
        person = persons.get(_reference(resource[name]), 0) if name in resource else 0
        if person:
            break
    return Saying(task.source, task.resolved.at, task.spoken.message, level, container, person)


def _reference(value: Any) -> str:
    value = value[0] if isinstance(value, list) and value else value
    return str(value.get("reference", "")) if isinstance(value, dict) else ""
