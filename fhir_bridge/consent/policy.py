"""What holds where no Consent speaks: the policy of the site.

https://profiles.ihe.net/ITI/PCF/volume-1.html (overarching policies)
"""

from __future__ import annotations

from typing import Literal, get_args

from fhir_bridge.consent.codes import ACT_REASON, BREAK_GLASS, covers_purpose
from fhir_bridge.consent.request import ConsentRequest

__all__ = ["POLICIES", "Policy", "is_usual", "policy_permits"]

Policy = Literal["permit", "deny", "break-glass"]
POLICIES: tuple[str, ...] = get_args(Policy)

_USUAL = tuple((ACT_REASON, code) for code in ("TREAT", "HPAYMT", "HOPERAT"))
"""The purposes for which a record is kept."""


def is_usual(request: ConsentRequest) -> bool:
    """Whether a request has one of the purposes for which a record is kept."""
    return any(covers_purpose(each, request.purpose) for each in _USUAL)


def policy_permits(policy: Policy, request: ConsentRequest) -> bool:
    """Whether the site's policy lets a request through that no Consent speaks of.

    ``permit``: for the usual purposes, and breaking the glass; ``break-glass``: only that, by those
    who may; ``deny``: nothing.
    """
    if policy == "deny":
        return False
    if request.purpose == BREAK_GLASS:
        return request.may_break_glass
    return policy == "permit" and is_usual(request)
