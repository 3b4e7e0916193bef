"""An account and what it stands for, as values."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from fhir_bridge.errors import BridgeError

__all__ = ["Account", "Binding", "account_name"]

_NAME = re.compile(r"[\w.@+-]{1,64}")


@dataclass(frozen=True, slots=True)
class Binding:
    """One thing that an account is: a role, and where it has one its Patient or its office.

    `proof` says in words how that became known; `since` is a FHIR instant.
    """

    role: str
    patient: str = ""
    practitioner: str = ""
    organization: str = ""
    proof: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A person who signs in; `created` and `changed` (the password) are FHIR instants."""

    id: str
    name: str
    display: str
    created: str
    changed: str
    locked: bool = False
    second_factor: bool = False
    has_password: bool = False
    bindings: tuple[Binding, ...] = ()

    def has_role(self, role: str) -> bool:
        """Whether the account stands for `role`."""
        return any(each.role == role for each in self.bindings)


def account_name(text: str) -> str:
    """A sign-in name in the one form that is compared (RFC 8265 in spirit: NFKC, case folded).

    >>> account_name(" Ｌi.Na ")
    'li.na'

    Raises BridgeError FB-7303 for a text that cannot be a name.
    """
    name = unicodedata.normalize("NFKC", text).strip().casefold()
    if not _NAME.fullmatch(name):
        reason = "a name is 1 to 64 letters, digits and . @ + - _"
        raise BridgeError("FB-7303", reason=reason)
    return name
