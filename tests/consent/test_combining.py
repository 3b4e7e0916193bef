"""Exceptions to exceptions, and several Consents of one person: which rule decides."""

import pytest

from tests.consent.building import ACT, actor, consent, decided, label, observation, purpose

X = [actor("Practitioner/x")]
TREAT = {"type": "permit", "purpose": purpose("TREAT", "HPAYMT")}


def _opt(code):
    return {"policyRule": {"coding": [{"system": ACT, "code": code}]}}


def _nested(*types):
    """A chain of provisions, each an exception to the one before it."""
    return {"type": types[0], **({"provision": [_nested(*types[1:])]} if types[1:] else {})}


@pytest.mark.parametrize(
    ("types", "permitted"),
    [
        (("permit",), True),
        (("permit", "deny"), False),
        (("permit", "deny", "permit"), True),
        (("deny", "permit", "deny", "permit", "deny"), False),
        (("permit", "deny", "permit", "deny", "permit"), True),
    ],
)
def test_an_exception_overrides_what_it_is_an_exception_to(types, permitted):
    """Five levels, each turned round by the next."""
    assert decided(consent(_nested(*types))).of(observation()).permitted is permitted


def test_a_consent_deeper_than_five_levels_forbids():
    """What cannot be read whole may hide a refusal."""
    deep = consent(_nested("deny", "permit", "deny", "permit", "deny", "permit"))

    assert decided(deep, consent({"type": "permit"}, id="other")).outcome == "deny"


@pytest.mark.parametrize(
    "part",
    [
        {"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]},
        {"period": {"end": "soon"}},
        {"dataPeriod": {"start": "2026-13"}},
        {"data": [{"meaning": "instance", "reference": {"display": "the letter"}}]},
    ],
)
def test_a_consent_that_cannot_be_read_forbids(part):
    """A modifier, a date or data that nobody understands may be the refusal itself."""
    assert decided(consent({"type": "permit", **part})).outcome == "deny"


def test_an_exception_takes_the_conditions_that_it_does_not_name_from_above():
    """Closed for X are the psychiatric data, not the others of a sibling."""
    one = consent(
        {
            "type": "deny",
            "provision": [
                {"type": "permit", "securityLabel": label("N")},
                {
                    "type": "permit",
                    "securityLabel": label("PSY"),
                    "provision": [{"type": "deny", "actor": X}],
                },
            ],
        }
    )

    assert decided(one).of(observation("N")).permitted
    assert not decided(one).of(observation("PSY", "R")).permitted
    assert decided(one, actors=["Practitioner/y"]).of(observation("PSY", "R")).permitted


def test_a_permit_below_a_permit_adds():
    """X sees the psychiatric data beside the normal ones, everybody else the normal ones."""
    one = consent(
        {
            **TREAT,
            "securityLabel": label("N"),
            "provision": [{"type": "permit", "securityLabel": label("PSY"), "actor": X}],
        }
    )
    seen = {
        who: [
            decided(one, actors=[who]).of(observation(*each)).permitted
            for each in (["N"], ["PSY"], ["HIV"])
        ]
        for who in ("Practitioner/x", "Practitioner/y")
    }

    assert seen == {"Practitioner/x": [True, True, False], "Practitioner/y": [True, False, False]}


def test_breaking_the_glass_adds_to_what_is_permitted_for_other_purposes():
    """Who may, and says so, sees the normal data as well as the restricted; nobody else anything."""
    one = consent(
        {
            **TREAT,
            "securityLabel": label("N"),
            "provision": [
                {
                    "type": "permit",
                    "purpose": purpose("BTG"),
                    "securityLabel": label("R"),
                    "actor": X,
                }
            ],
        }
    )
    broken = decided(one, why="BTG")

    assert [broken.of(observation(each)).permitted for each in "NRV"] == [True, True, False]
    assert decided(one, why="BTG", actors=["Practitioner/y"]).outcome == "deny"
    assert not decided(one).of(observation("R")).permitted


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_consents_deny_wins_at_equal_depth(order):
    """Whichever was given first; the one that decided is named."""
    both = [consent(TREAT, id="yes"), consent({"type": "deny"}, id="no")][::order]
    verdict = decided(*both).of(observation())

    assert (verdict.permitted, verdict.consent, verdict.reason) == (False, "no", "consent")


def test_of_two_consents_the_deeper_rule_decides():
    """An exception of one is more special than the root of the other."""
    closed = consent({"type": "deny"}, id="closed")
    opened = consent(
        {"type": "deny", "provision": [{"type": "permit", "purpose": purpose("BTG")}]}, id="opened"
    )

    assert decided(closed, opened, why="BTG").of(observation()).consent == "opened"
    assert decided(closed, opened).outcome == "deny"


def test_a_second_consent_opens_what_the_first_did_not_speak_of():
    """To permit some is not to refuse the rest: only what is said to be refused is refused."""
    normal = consent({**TREAT, "securityLabel": label("N")}, id="normal")
    psychiatric = consent({**TREAT, "securityLabel": label("PSY"), "actor": X}, id="psychiatric")
    decision = decided(normal, psychiatric)

    assert decision.of(observation("PSY", "R")).consent == "psychiatric"
    assert not decision.of(observation("HIV", "R")).permitted
    assert (
        not decided(normal, psychiatric, actors=["Practitioner/y"]).of(observation("PSY")).permitted
    )


def test_a_withdrawn_consent_binds_no_longer():
    """The same two consents, one of them withdrawn."""
    given = consent(TREAT, id="given")
    refused = consent({"type": "deny"}, id="refused", status="inactive")

    assert decided(given, refused).outcome == "permit"
    assert decided(consent(TREAT, status="inactive")).outcome == "deny"


@pytest.mark.parametrize(
    ("rule", "root", "outcome"),
    [
        ("OPTIN", None, "permit"),
        ("OPTOUT", None, "deny"),
        ("OPTIN", {"actor": X}, "deny"),
        ("OPTIN", {"actor": [actor("Practitioner/y")]}, "permit"),
        ("OPTIN", {"type": "deny", "actor": X}, "deny"),
        ("OPTOUT", {"actor": X}, "deny"),
        ("OPTOUT", {"type": "permit", "actor": X}, "permit"),
        ("OPTOUTE", {"provision": [{"type": "permit", "purpose": purpose("TREAT")}]}, "permit"),
        ("OPTINR", {"provision": [{"type": "deny", "purpose": purpose("TREAT")}]}, "deny"),
    ],
)
def test_a_root_without_a_type_is_read_by_the_policy_rule(rule, root, outcome):
    """R4 leaves it out of the root: an opt-in names what is left out, an opt-out opens nothing so."""
    assert decided(consent(root, **_opt(rule))).outcome == outcome


def test_a_root_without_a_type_or_a_rule_leaves_the_base_to_the_site():
    """Only its exceptions speak."""
    one = consent({"provision": [{"type": "deny", "securityLabel": label("HIV")}]})

    assert decided(one, policy="permit").of(observation("N")).permitted
    assert not decided(one, policy="permit").of(observation("HIV")).permitted
    assert decided(one).outcome == "deny"


def test_opting_in_is_for_the_usual_purposes():
    """It is no consent to be sold to."""
    assert decided(consent(**_opt("OPTIN")), why="HMARKT").outcome == "deny"


def test_a_decision_holds_no_more_rules_than_it_needs():
    """A query that is made of it grows with what the person said, not with how often."""
    same = [consent(TREAT, id=f"c{number}") for number in range(9)]

    assert len(decided(*same).rules) == 1
