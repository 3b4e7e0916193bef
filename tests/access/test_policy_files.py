"""The files of ``profiles/access`` hold known words only, and the data that rights are made from."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_bridge.access import load_compartment, load_conditions, load_roles
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.entitlement import Policy
from fhir_bridge.errors import BridgeError
from fhir_bridge.search import Registry, parse_search

ROLE = 'en = "x"\nzh = "x"\n[[grants]]\nof = "self"\nmay = "rs"\ntypes = ["Patient"]\n'


def overlay(folder: Path, name: str, text: str) -> Artifacts:
    """The product's files with one of a site over them."""
    path = folder / "profiles" / "access" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Artifacts(folder)


def test_a_role_of_a_site_is_found_and_not_listed(tmp_path: Path) -> None:
    """A file in the overlay is a role."""
    roles = load_roles(overlay(tmp_path, "roles/visitor.toml", ROLE))
    assert {"visitor", "resident", "doctor"} <= roles.keys()


@pytest.mark.parametrize(
    ("known", "unknown"),
    [
        ('of = "self"', 'of = "selves"'),
        ('may = "rs"', 'may = "rx"'),
        ('["Patient"]', '["Patience"]'),
        ("types =", "kinds ="),
        ('en = "x"', 'english = "x"'),
        ('types = ["Patient"]', 'types = ["Patient"]\nexcept = ["Patience"]'),
        (
            'of = "self"\nmay = "rs"\ntypes = ["Patient"]',
            'of = "nobody"\nmay = "rs"\ntypes = "all"',
        ),
    ],
)
def test_a_role_with_an_unknown_word_is_refused(tmp_path: Path, known: str, unknown: str) -> None:
    """The error names the file."""
    assert known in ROLE
    with pytest.raises(BridgeError, match="FB-7601"):
        load_roles(overlay(tmp_path, "roles/visitor.toml", ROLE.replace(known, unknown)))


@pytest.mark.parametrize(
    "text",
    [
        '[[visible]]\ntype = "Contrakt"\nby = "signer"',
        '[[visible]]\ntype = "Contract"\nbye = "signer"',
        '[[visible]]\ntype = "Contract"',
        '[[visible]]\ntype = "Contract"\nby = "signer"\nthrough = "subject"',
        '[[visible]]\ntype = "CareTeam"\nreferrer = "Contrakt.team"',
        '[shared]\ntypes = ["Patience"]',
        "[hidden]",
        "not toml",
    ],
)
def test_rules_of_the_compartment_with_unknown_words_are_refused(tmp_path: Path, text: str) -> None:
    """Nothing is read over."""
    with pytest.raises(BridgeError, match="FB-7601"):
        load_compartment(overlay(tmp_path, "compartment.toml", text))


def test_conditions_that_lack_something_are_refused(tmp_path: Path) -> None:
    """A site cannot leave out what rights hang on."""
    with pytest.raises(BridgeError, match="FB-7601"):
        load_conditions(overlay(tmp_path, "agreement.toml", '[agreement]\nin_force = "status=x"'))


def test_every_search_of_the_policy_is_one_that_the_engine_answers(registry: Registry) -> None:
    """The parameters of rules and conditions are there, so that none finds nothing by mistake."""
    policy = Policy.load(Artifacts())
    for rule in (each for rules in policy.compartment.rules.values() for each in rules):
        named, code = (
            rule.referrer if rule.referrer[0] else (rule.resource_type, rule.by or rule.through)
        )
        assert registry.resolve(named, code) is not None, rule
    places = {
        "dawn": "2026-12-01",
        "dusk": "2026-12-01",
        "since": "2026-12-01",
        "teams": "CareTeam/x",
    }
    conditions = policy.conditions
    for resource_type, query in (
        ("Contract", (*conditions.in_force, *conditions.former, *conditions.of_team)),
        ("Group", conditions.group),
        ("Task", conditions.accepted),
    ):
        pairs = [(name, value.format_map(places)) for name, value in query]
        assert parse_search(resource_type, pairs, registry).types
    for role in policy.roles.values():
        for grant in role.grants:
            for query in (*grant.only, *grant.never):
                assert any(
                    parse_search(each, query, registry).types
                    for each in grant.types or ("Patient",)
                )
