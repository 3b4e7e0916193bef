"""Marks that a map leaves in a resource for the rule of update: taken back, and supposed.

An element whose text contains `NULL` takes back what its source said before; a text behind
`USUAL` is supposed, because R4 wants a value or because the message does not say.  Both are
noncharacters of Unicode (section 23.7), which no text that people exchange may contain.  In
an element that holds no text (boolean, number) the mark stands twice before the JSON literal.

Promises: pure; a tree without marks is given back as it is; what leaves the product has none.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.fhir.json_format import Resource, written_decimal

__all__ = [
    "NULL",
    "USUAL",
    "has_marks",
    "is_instead",
    "is_null",
    "is_usual",
    "strip_marks",
    "unmarked",
    "usual",
]

NULL = "\ufdd0"
USUAL = "\ufdd1"

# What says nothing by itself, once the element that it stands beside is taken back.
_FRAME = frozenset(
    [
        "resourceType",
        "id",
        "meta",
        "active",
        "assigner",
        "comparator",
        "function",
        "mode",
        "rank",
        "status",
        "system",
        "type",
        "unit",
        "url",
        "use",
    ]
)
_GONE: Any = object()


def is_null(value: Any) -> bool:
    """Whether `value` is a text that takes back.

    >>> is_null(NULL), is_null("Patient/" + NULL), is_null("0"), is_null(None)
    (True, True, False, False)
    """
    return isinstance(value, str) and NULL in value


def is_usual(value: Any) -> bool:
    """Whether `value` is a text that is supposed."""
    return isinstance(value, str) and value.startswith(USUAL)


def is_instead(value: str) -> bool:
    """Whether a text that is supposed stands in the place of what is taken back.

    >>> is_instead(usual("active", instead=True)), is_instead(usual("active"))
    (True, False)
    """
    return value.endswith(USUAL) and len(value) > 1


def usual(value: Any, *, instead: bool = False) -> Any:
    """`value` marked as supposed: a scalar as marked text, an object or list by its leaves.

    What is empty, marked already, or takes back, stays as it is.  With `instead` what the
    source stated before is taken back as well.

    >>> usual("active") == USUAL + "active", usual(True) == USUAL + "true", usual(NULL) == NULL
    (True, True, True)
    """
    if isinstance(value, dict):
        return {key: usual(child, instead=instead) for key, child in value.items()}
    if isinstance(value, list):
        return [usual(child, instead=instead) for child in value]
    if value in (None, "") or is_null(value) or is_usual(value):
        return value
    end = USUAL if instead else ""
    if isinstance(value, bool):
        return f"{USUAL}{'true' if value else 'false'}{end}"
    return f"{USUAL}{getattr(value, 'text', value) if not isinstance(value, str) else value}{end}"


def unmarked(text: str) -> Any:
    """The value behind the mark: a text, or the boolean or number of a double mark.

    >>> unmarked(usual("active")), unmarked(USUAL * 2 + "true"), unmarked(USUAL * 2 + "12")
    ('active', True, 12)
    """
    plain = text.replace(USUAL, "")
    if not text.startswith(USUAL * 2):
        return plain
    if plain in {"true", "false"}:
        return plain == "true"
    return int(plain) if plain.lstrip("-").isdecimal() else written_decimal(plain)


def has_marks(value: Any) -> bool:
    """Whether any text in a JSON value is marked."""
    if type(value) is str:
        return NULL in value or USUAL in value
    if type(value) is dict:
        value = value.values()
    elif type(value) is not list:
        return False
    return any(
        (NULL in child or USUAL in child) if type(child) is str else has_marks(child)
        for child in value
    )


def strip_marks(resource: Resource) -> Resource:
    """`resource` as it is shown: what is taken back left out, what is supposed as if stated.

    Parents that become empty go too, and an identifier, name or quantity of whose value only
    its frame (use, system, unit) is left.  An entry of a Bundle whose identity is taken back
    goes with every reference to it.
    """
    if not has_marks(resource):
        return resource
    if resource.get("resourceType") != "Bundle":
        return _frame_kept(resource, frozenset())
    gone: frozenset[str] = frozenset()
    while True:
        entries = [_entry(entry, gone) for entry in resource.get("entry", ())]
        lost = {
            str(entry.get("fullUrl"))
            for entry, left in zip(resource.get("entry", ()), entries, strict=True)
            if left is _GONE and entry.get("fullUrl")
        }
        if lost <= gone:
            break
        gone |= lost
    envelope = _frame_kept({key: resource[key] for key in resource if key != "entry"}, gone)
    kept = [entry for entry in entries if entry is not _GONE]
    return {**envelope, "entry": kept} if kept else envelope


def _frame_kept(resource: Resource, gone: frozenset[str]) -> Resource:
    """`resource` without its nulls; of one that has nothing else, what frames it."""
    left: Any = _object(resource, gone)
    if left is not _GONE:
        return left  # type: ignore[no-any-return]
    return {key: resource[key] for key in ("resourceType", "type") if key in resource}


def _entry(entry: Any, gone: frozenset[str]) -> Any:
    """An entry; gone when its resource is, or has no identity left."""
    resource = entry.get("resource")
    if is_null(entry.get("fullUrl")) or _has_null(entry.get("request")):
        return _GONE
    left = _object(entry, gone)
    if left is _GONE or (resource is not None and "resource" not in left):
        return _GONE
    if resource and resource.get("identifier") and not left["resource"].get("identifier"):
        return _GONE
    return left


def _has_null(value: Any) -> bool:
    """Whether any text in an object takes back."""
    return isinstance(value, dict) and any(is_null(child) for child in value.values())


def _object(node: dict[str, Any], gone: frozenset[str]) -> Any:
    left: dict[str, Any] = {}
    lost: set[str] = set()
    for key, value in node.items():
        if type(value) is list:
            child = _list(value, gone, keeps_places=f"_{key}" in node)
        elif key == "reference" and value in gone:
            child = _GONE
        else:
            child = _value(value, gone)
        if child is _GONE:
            lost.add(key)
        else:
            left[key] = child
    if lost and left.keys() <= (_FRAME | {"code", "extension"} if "value" in lost else _FRAME):
        return _GONE
    return left


def _list(items: list[Any], gone: frozenset[str], *, keeps_places: bool) -> Any:
    """The items that stay; primitives with a companion list keep their places."""
    children = [_value(item, gone) for item in items]
    kept = [child for child in children if child is not _GONE]
    if keeps_places and kept:
        return [None if child is _GONE else child for child in children]
    return kept if kept or not items else _GONE


def _value(value: Any, gone: frozenset[str]) -> Any:
    if type(value) is str:
        if NULL in value:
            return _GONE
        return unmarked(value) if USUAL in value else value
    if type(value) is dict:
        return _object(value, gone)
    return _list(value, gone, keeps_places=False) if type(value) is list else value
