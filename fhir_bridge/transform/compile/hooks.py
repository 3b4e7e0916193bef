"""Hooks: groups that a map calls and that a map of a site may define.

A map whose metadata say ``/// hooks = "true"`` names the hooks and what they are given, as
groups without rules.  A group of the same name in any other map in reach is what is called
instead; where there is none the call is left out when the map is compiled.

Promises: pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fml import Group, StructureMap

__all__ = ["check_hooks", "does_nothing", "find_group", "hook_faults"]


def find_group(name: str, maps: Iterable[StructureMap]) -> tuple[StructureMap, Group] | None:
    """The first group called `name`; the empty one of a hook where nothing else defines it."""
    hook: tuple[StructureMap, Group] | None = None
    for structure_map in maps:
        for group in structure_map.groups:
            if group.name == name:
                if not structure_map.is_hooks:
                    return structure_map, group
                hook = hook or (structure_map, group)
    return hook


def does_nothing(group: Group) -> bool:
    """Whether a call of the group has no effect."""
    return not group.rules and not group.extends


def check_hooks(maps: Iterable[StructureMap]) -> None:
    """Raises BridgeError FB-2130 where two maps in reach define one hook, which none may win."""
    issues = tuple(issue for issue in hook_faults(maps) if issue.code == "FB-2130")
    if issues:
        raise BridgeError("FB-2130", issues[0].where, issues=issues[1:], **issues[0].details)


def hook_faults(maps: Iterable[StructureMap]) -> Iterator[Issue]:
    """Hooks that two maps define, and such as take other parameters than they are given."""
    reach = list(maps)
    hooks = {group.name: group for one in reach if one.is_hooks for group in one.groups}
    defined: dict[str, list[str]] = {}
    for one in reach:
        for group in () if one.is_hooks else one.groups:
            hook = hooks.get(group.name)
            if hook is None:
                continue
            place = f"map {one.url or one.name}, line {group.line}"
            defined.setdefault(group.name, []).append(place)
            if _modes(group) != _modes(hook):
                details = {"name": group.name, "expected": _modes(group), "found": _modes(hook)}
                yield Issue("FB-2107", "error", place, details)
    for name, places in defined.items():
        if len(places) > 1:
            yield Issue("FB-2130", "error", places[-1], {"name": name, "other": places[0]})


def _modes(group: Group) -> str:
    return f"({', '.join(one.mode for one in group.parameters)})"
