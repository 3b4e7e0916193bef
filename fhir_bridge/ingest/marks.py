"""What a statement says beside its values: what is taken back, and what is only supposed."""

from __future__ import annotations

from functools import lru_cache

from fhir_bridge.fhir import Resource
from fhir_bridge.update import UpdateRules, statement_of, unmarked

__all__ = ["read_marks"]

_MAX_TEXT = 200


def read_marks(
    rules: UpdateRules, resource: Resource, marked: frozenset[str]
) -> tuple[bytes | None, Resource]:
    """What stands beside the statement (`SourceStatement.written_times`), and it without marks."""
    texts = tuple((key, value) for key, value in resource.items() if key in marked)
    kind = resource["resourceType"]
    if all(type(text) is str and len(text) <= _MAX_TEXT for _, text in texts):
        times, plain = _read_texts(rules, kind, texts)
    else:
        times, plain = _read_marked(rules, kind, dict(texts))
    resource = resource | plain
    return times, {key: value for key, value in resource.items() if value is not None}


@lru_cache(maxsize=1 << 12)
def _read_texts(
    rules: UpdateRules, kind: str, texts: tuple[tuple[str, str], ...]
) -> tuple[bytes | None, Resource]:
    """The same for short texts: a status that is supposed is the same each time."""
    return _read_marked(rules, kind, dict(texts))


def _read_marked(rules: UpdateRules, kind: str, marked: Resource) -> tuple[bytes | None, Resource]:
    """What stands beside properties that hold marks, and the properties without them."""
    said = statement_of("", 0, {"resourceType": kind} | marked, rules)
    return said.written_times(), {key: unmarked(value).value for key, value in marked.items()}
