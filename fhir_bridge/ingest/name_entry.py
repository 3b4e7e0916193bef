"""The reference of an entry that is no Patient, and the names by which others refer to it."""

from __future__ import annotations

from fhir_bridge import clock

from .entries import Entry, Task, is_taken_back, sign
from .naming import SHARED, content_id, entry_id

__all__ = ["name_entry"]


def name_entry(entry: Entry, task: Task) -> None:
    """The entry's reference, and the names by which others refer to it."""
    resource = entry.resource
    kind, own = resource["resourceType"], resource.get("id")
    id_ = entry_id(entry.entry, resource, task.owner)
    if id_ is None and own:
        id_ = clock.stable_id(task.owner, kind, str(own))
    if id_ is None and entry.container is not None:
        id_ = content_id(resource, entry.container.name)
    if id_ is None and kind in SHARED and is_taken_back(resource):
        id_ = ""
    if id_ is None and kind in task.mentions:  # said again by each message about the person
        id_ = content_id(resource, f"{task.source} {task.person}")
    if id_ is None:
        id_ = clock.stable_id(task.owner, kind, f"{task.spoken.digest()}/{entry.number}")
    entry.is_dropped = not id_
    entry.own = f"{kind}/{own}" if own else ""
    entry.resource = {"resourceType": kind, "id": id_, **resource}
    entry.resource["id"] = id_
    sign(entry.resource, task)
    entry.refer(f"{kind}/{id_}" if id_ else "", task)
