"""The page for operators says what the files say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fhir_bridge.access import Compartment, RoleGrant, RolePolicy
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.entitlement import Policy

PAGE = Path(__file__).resolve().parents[2] / "docs" / "access.md"
_WHOSE = {
    "nobody": "of no patient",
    "everybody": "of everybody",
    "self": "their own, by an agreement in force",
    "wards": "of children in their care, by the same",
    "team": "of residents whose agreement in force names the team",
    "referred": "of patients referred to the hospital",
}


def printed(policy: Policy, page: str) -> str:
    """The page with its tables made anew."""
    for name, lines in (
        ("roles", _roles(policy.roles.values())),
        ("rules", _rules(policy.compartment)),
    ):
        text = "\n".join(lines)
        page = re.sub(
            rf"(<!-- {name}:[^>]*-->\n).*?(<!-- end -->)", rf"\1{text}\n\2", page, flags=re.DOTALL
        )
    return page


def _roles(roles: object) -> Iterator[str]:
    yield "| role | may | types | whose | why |"
    yield "|---|---|---|---|---|"
    for role in roles:  # type: ignore[attr-defined]
        yield from (_line(role, each) for each in role.grants)


def _line(role: RolePolicy, grant: RoleGrant) -> str:
    types = "all" if grant.types is None else ", ".join(sorted(grant.types))
    if grant.shared:
        types = "those of nobody (below)"
    if grant.without:
        types += f" but {', '.join(sorted(grant.without))}"
    limits = ["&".join("=".join(pair) for pair in query) for query in grant.only]
    limited = f", only `{', '.join(limits)}`" if limits else ""
    purposes = f"; purpose {' or '.join(sorted(grant.purposes))}" if grant.purposes else ""
    title = f"{role.titles['en']} ({role.titles['zh']}) `{role.name}`"
    return f"| {title} | `{grant.may}` | {types}{limited} | {_WHOSE[grant.of]}{purposes} | {grant.because} |"


def _rules(compartment: Compartment) -> Iterator[str]:
    yield "| type | how | why |"
    yield "|---|---|---|"
    for rule in (each for _, rules in sorted(compartment.rules.items()) for each in rules):
        if rule.by:
            how = f"`{rule.by}` names the patient"
        elif rule.through:
            how = f"`{rule.through}` names {'a ' + rule.of if rule.of else 'a resource'} of the patient"
        else:
            how = f"`{'.'.join(rule.referrer)}` of the patient names it"
        yield f"| {rule.resource_type} | {how} | {rule.because} |"
    shared = ", ".join(sorted(compartment.shared))
    yield ""
    yield f"Of nobody, since {compartment.because}: {shared}."


def test_the_tables_are_those_of_the_data(accept: bool) -> None:
    """`--accept` prints them."""
    page = PAGE.read_text(encoding="utf-8")
    made = printed(Policy.load(Artifacts()), page)
    if accept:
        PAGE.write_text(made, encoding="utf-8")
        page = made
    assert page == made
