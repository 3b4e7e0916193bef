"""What a caller may see, by roles and scopes alone, without asking the record.

The narrow rule of a role and a coarse one of scopes: it never gives more than a caller has, and
gives less where only the record could tell (teams, referrals, consents).
"""

from __future__ import annotations

from fhir_bridge.access import Access, Caller, ResourceScope
from fhir_bridge.errors import BridgeError

__all__ = ["coarse_access"]

_WORDS = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}


def coarse_access(caller: Caller, method: str = "GET", path: str = "") -> Access:
    """What `caller` may reach with a method at a path; nothing where nothing is sure.

    Raises BridgeError FB-4204 when no scope allows it for any resource of the type, whether there
    are any or not.
    """
    names = {role.name for role in caller.roles}
    own = frozenset(role.patient for role in caller.roles if role.patient)
    if caller.scopes is None:
        return Access.everything() if "operator" in names else Access.patients(own)
    resource_type, letters = _interaction(method, path)
    at = caller.scopes.at
    if not caller.account:
        return _only(Access.everything(), at("system"), resource_type, letters)
    if at("user") and "operator" in names:
        return _only(Access.everything(), at("user"), resource_type, letters)
    given = (*at("user"), *(at("patient") if caller.patient else ()))
    allowed = own & {caller.patient} if caller.patient else own
    if "operator" in names and caller.patient:
        allowed = frozenset({caller.patient})
    return _only(Access.patients(allowed), given, resource_type, letters)


def _interaction(method: str, path: str) -> tuple[str, str]:
    """The type that a request is about ("" for several) and the letters that it needs."""
    parts = [part for part in path.removeprefix("/fhir").split("/") if part]
    resource_type = parts[0] if parts and parts[0][:1].isupper() else ""
    if len(parts) > 2 and parts[2][:1].isupper():
        return parts[2], "s"
    if method in {"GET", "HEAD"}:
        is_one = len(parts) > 1 and not parts[1].startswith(("_", "$"))
        return resource_type, "r" if is_one else "s"
    if method == "POST":
        if "_search" in parts or any(part.startswith("$") for part in parts):
            return resource_type, "s" if "_search" in parts else "r"
        return resource_type, "c" if resource_type else "cruds"
    return resource_type, {"PUT": "u", "PATCH": "u", "DELETE": "d"}.get(method, "cruds")


def _only(
    access: Access, scopes: tuple[ResourceScope, ...], resource_type: str, letters: str
) -> Access:
    """Those types for which a scope without a search allows all that is done."""
    kept = [each for each in scopes if not each.query and set(letters) <= set(each.interactions)]
    if resource_type and not any(each.allows(resource_type, letters[0]) for each in kept):
        word = _WORDS[letters[0]]
        raise BridgeError("FB-4204", interaction=word, resource_type=resource_type)
    if any(each.resource_type == "*" for each in kept):
        return access
    return access.only_types(each.resource_type for each in kept)
