"""The content of a record, without what differs between two records of the same facts.

Ids, versions and times of recording go; a reference becomes the number of what it leads to;
numbers of one history become those of any other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.histories.client import Follower, Resource

__all__ = ["content", "is_gone"]

_FRAME = frozenset({"id", "meta", "text"})


def content(follower: Follower, own: Sequence[str], *, gone: bool = False) -> dict[str, Resource]:
    """Each live resource by a name; the texts `own` of one history become ``#``.

    With `gone` also what is retired.
    """
    names = _names(follower, own)
    found: dict[str, Resource] = {}
    for place, resource in sorted(follower.resources.items(), key=lambda item: names[item[0]]):
        if is_gone(resource) and not gone:
            continue
        body = {key: part for key, part in resource.items() if key not in _FRAME}
        name, number = names[place], 1
        while name in found:
            number += 1
            name = f"{names[place]} ({number})"
        found[name] = json.loads(_common(json.dumps(_named(body, names), ensure_ascii=False), own))
    return found


def _names(follower: Follower, own: Sequence[str]) -> dict[str, str]:
    names = {}
    for place, resource in [*follower.resources.items(), *follower.shared.items()]:
        listed = resource.get("identifier") or resource.get("masterIdentifier") or []
        listed = listed if isinstance(listed, list) else [listed]
        words = [each["value"] for each in listed if "value" in each][:1]
        code = resource.get("code", {})
        name = f"{resource['resourceType']} {words[0] if words else json.dumps(code)}"
        names[place] = _common(name, own)
    return names


def _common(text: str, own: Sequence[str]) -> str:
    for each in own:
        text = text.replace(each, "#")
    return text


def _named(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {
            key: names.get(part, part)
            if key == "reference" and isinstance(part, str)
            else _named(part, names)
            for key, part in node.items()
        }
    if isinstance(node, list):
        return [_named(part, names) for part in node]
    return node


def is_gone(resource: Resource) -> bool:
    """Whether a resource says that it was a mistake."""
    states = (resource.get("status"), json.dumps(resource.get("verificationStatus", "")))
    return any("entered-in-error" in str(state) for state in states)
