"""XML Patch: operations on the XML form of a resource, chosen by simple XPath selectors.

https://www.rfc-editor.org/rfc/rfc5261, as FHIR uses it: https://hl7.org/fhir/R4/http.html#patch

Selectors are read by the grammar of RFC 5261 §4.1, which is a small part of XPath; nothing
else reaches the XPath evaluator.  A name without a prefix is in the namespace that is the
default where the operation stands (§4.2).
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from fhir_bridge import xml
from fhir_bridge.budget import new_budget
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, parse_xml, render_xml

__all__ = ["apply_xml_patch", "patch_document"]

_FHIR = "http://hl7.org/fhir"
_NAMESPACES = {
    "f": _FHIR,
    "h": "http://www.w3.org/1999/xhtml",
    "xhtml": "http://www.w3.org/1999/xhtml",
}
_NAME = r"(?:[A-Za-z_][\w.-]*:)?(?:[A-Za-z_][\w.-]*)"
_PREDICATE = rf"""\[(?:\d+|(?:@?{_NAME}|\.)\s*=\s*(?:"[^"]*"|'[^']*'))\]"""
_STEP = re.compile(
    rf"(?P<slash>/?)(?:(?P<node>\*|{_NAME}(?![\w.(-]))(?P<predicates>(?:{_PREDICATE})*)"
    rf"|(?P<last>@{_NAME}|namespace::[A-Za-z_][\w.-]*|(?:text|comment)\(\)(?:\[\d+\])?))"
)
_PREFIX = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]*+):(?!:)")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_IN_DEFAULT = r"default:\1"
_CHILD_PREDICATE = re.compile(r"(?<=\[)([A-Za-z_][\w.-]*)(?=\s*=)")


def apply_xml_patch(resource: Resource, patch: bytes) -> Resource:
    """`resource` after all operations of `patch`, as a new value.

    Raises BridgeError FB-4020 (the patch is wrong), FB-4021 (a selector finds nothing),
    FB-4023 (it finds several) and the errors of reading FHIR XML.
    """
    root = patch_document(xml.parse(render_xml(resource)), xml.parse(patch))
    return parse_xml(xml.render(root))


def patch_document(root: Any, patch: Any) -> Any:
    """The root of the patched document; `root` itself is changed."""
    operations = list(patch)
    if not operations:
        raise BridgeError("FB-4020", reason="there is no operation")
    budget = new_budget()
    for position, operation in enumerate(operations, 1):
        budget.spend(1)
        budget.look()  # a selector may walk the whole document
        where = f"operation {position}"
        kind = operation.tag.rpartition("}")[2]
        apply = {"add": _add, "remove": _remove, "replace": _replace}.get(kind)
        if apply is None:
            raise BridgeError("FB-4020", where, reason="an operation is add, remove or replace")
        selector = operation.get("sel", "")
        target = _select(root, selector, operation, where)
        root = apply(root, target, operation, where)
    return root


def _select(root: Any, selector: str, operation: Any, where: str) -> Any:
    """The one node that the selector finds; for a namespace (element, prefix)."""
    path, prefix = _xpath(selector, where)
    names = {**_NAMESPACES, **{key: url for key, url in operation.nsmap.items() if key}}
    names["default"] = operation.nsmap.get(None, _FHIR)
    unknown = set(_PREFIX.findall(_QUOTED.sub("", path))) - names.keys()
    if unknown:
        raise BridgeError("FB-4020", where, reason=f"the prefix {unknown.pop()} is not declared")
    found = root.getroottree().xpath(path, namespaces=names)
    if not found:
        raise BridgeError("FB-4021", where, path=selector[:200])
    if len(found) > 1:
        reason = "the selector finds several nodes"
        raise BridgeError("FB-4023", where, path=selector[:200], reason=reason)
    return (found[0], prefix) if prefix else found[0]


def _xpath(selector: str, where: str) -> tuple[str, str]:
    """The selector as an absolute XPath, and the prefix when it names a namespace."""
    text = selector.strip()
    position, path, prefix = 0, "", ""
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None or prefix or (position and not step["slash"]):
            raise BridgeError("FB-4020", where, reason="sel is not a selector of RFC 5261")
        position = step.end()
        node, last = step["node"], step["last"]
        if last and last.startswith("namespace::"):
            prefix = last.removeprefix("namespace::")
        elif last:
            path += f"/{last}"
        else:
            name = node if node == "*" or ":" in node else f"default:{node}"
            path += f"/{name}{_CHILD_PREDICATE.sub(_IN_DEFAULT, step['predicates'])}"
    if not path:
        raise BridgeError("FB-4020", where, reason="sel is missing")
    return path, prefix


def _add(root: Any, target: Any, operation: Any, where: str) -> Any:
    kind, position = operation.get("type", ""), operation.get("pos", "")
    if isinstance(target, tuple | str):
        raise BridgeError("FB-4020", where, reason="add needs an element")
    if kind.startswith("@"):
        target.set(_attribute(kind[1:], operation), operation.text or "")
        return root
    if kind.startswith("namespace::"):
        return _declared(root, target, kind.removeprefix("namespace::"), operation.text or "")
    new = [deepcopy(child) for child in operation]
    if position in ("before", "after"):
        parent = target.getparent()
        if parent is None:
            raise BridgeError("FB-4020", where, reason="the root has no neighbours")
        index = parent.index(target) + (position == "after")
        parent[index:index] = new
    elif position == "prepend":
        target[:0] = new
    elif position == "":
        if not new and (operation.text or "").strip():
            _append_text(target, operation.text)
        target.extend(new)
    else:
        raise BridgeError("FB-4020", where, reason="pos is before, after or prepend")
    return root


def _remove(root: Any, target: Any, _operation: Any, where: str) -> Any:
    if isinstance(target, tuple):
        raise BridgeError("FB-4020", where, reason="a namespace that is in use cannot be removed")
    if isinstance(target, str):
        _set_text(target, None)
        return root
    parent = target.getparent()
    if parent is None:
        raise BridgeError("FB-4020", where, reason="the root cannot be removed")
    parent.remove(target)
    return root


def _replace(root: Any, target: Any, operation: Any, where: str) -> Any:
    if isinstance(target, tuple):
        raise BridgeError("FB-4020", where, reason="a namespace that is in use cannot be replaced")
    if isinstance(target, str):
        _set_text(target, operation.text or "")
        return root
    new = [deepcopy(child) for child in operation]
    if len(new) != 1:
        raise BridgeError("FB-4020", where, reason="replace holds one element")
    parent = target.getparent()
    if parent is None:
        return new[0]
    new[0].tail = target.tail
    parent.replace(target, new[0])
    return root


def _set_text(found: Any, text: str | None) -> None:
    """Change the attribute or text node that an XPath result string came from."""
    parent = found.getparent()
    if found.is_attribute:
        if text is None:
            del parent.attrib[found.attrname]
        else:
            parent.set(found.attrname, text)
    elif found.is_tail:
        parent.tail = text
    else:
        parent.text = text


def _append_text(target: Any, text: str) -> None:
    if len(target):
        target[-1].tail = (target[-1].tail or "") + text
    else:
        target.text = (target.text or "") + text


def _attribute(name: str, operation: Any) -> str:
    prefix, _, local = name.rpartition(":")
    return (
        f"{{{operation.nsmap.get(prefix, _NAMESPACES.get(prefix, ''))}}}{local}"
        if prefix
        else local
    )


def _declared(root: Any, target: Any, prefix: str, url: str) -> Any:
    """`target` again with one more namespace: lxml fixes them when an element is made."""
    renewed = target.makeelement(target.tag, dict(target.attrib), {**target.nsmap, prefix: url})
    renewed.text, renewed.tail = target.text, target.tail
    renewed.extend(list(target))
    parent = target.getparent()
    if parent is None:
        return renewed
    parent.replace(target, renewed)
    return root
