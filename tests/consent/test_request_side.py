"""Who asks, why, when and to do what: which consents and provisions concern a request at all."""

from datetime import UTC, datetime

import pytest

from tests.consent.building import SCOPE, actor, consent, decided, observation, purpose

PERMIT = {"type": "permit"}
DENY = {"type": "deny"}


@pytest.mark.parametrize(
    "status", ["draft", "proposed", "rejected", "inactive", "entered-in-error"]
)
def test_a_consent_that_is_not_active_says_nothing(status):
    """What was withdrawn, refused or only proposed opens nothing and closes nothing."""
    assert decided(consent(PERMIT, status=status)).outcome == "deny"
    assert decided(consent(DENY, status=status), policy="permit").outcome == "permit"


@pytest.mark.parametrize("scope", ["research", "treatment", "adr"])
def test_a_consent_to_something_else_does_not_open_the_record(scope):
    """To agree to an operation is not to agree that others read."""
    other = consent(PERMIT, scope={"coding": [{"system": SCOPE, "code": scope}]})

    assert decided(other).outcome == "deny"


@pytest.mark.parametrize(
    ("stated", "asked", "outcome"),
    [
        ("TREAT", "TREAT", "permit"),
        ("TREAT", "ETREAT", "permit"),
        ("TREAT", "COC", "permit"),
        ("TREAT", "BTG", "deny"),
        ("ETREAT", "BTG", "deny"),
        ("BTG", "BTG", "permit"),
        ("ETREAT", "TREAT", "deny"),
        ("HRESCH", "CLINTRCHNPC", "permit"),
        ("TREAT", "CLINTRCH", "deny"),
        ("HPAYMT", "ELIGVER", "permit"),
        ("TREAT", "", "deny"),
    ],
)
def test_a_purpose_covers_what_lies_below_it_but_for_break_glass(stated, asked, outcome):
    """Codes form a tree; breaking the glass must be named to be meant."""
    assert decided(consent({**PERMIT, "purpose": purpose(stated)}), why=asked).outcome == outcome


def test_a_purpose_that_is_not_said_falls_under_every_deny():
    """What is not known of a request closes."""
    refused = consent({**DENY, "purpose": purpose("HMARKT")})

    assert decided(refused, why="", policy="permit").outcome == "deny"
    assert decided(refused, why="TREAT", policy="permit").outcome == "permit"


@pytest.mark.parametrize(
    ("named", "actors", "outcome"),
    [
        ("Practitioner/x", ["Practitioner/x"], "permit"),
        ("Practitioner/x/_history/3", ["Practitioner/x"], "permit"),
        ("Organization/h", ["Practitioner/x", "Organization/h"], "permit"),
        ("Group/g", ["Practitioner/x"], "deny"),
        ("https://other.example/fhir/Practitioner/x", ["Practitioner/x"], "deny"),
        ({"identifier": {"system": "urn:s", "value": "7"}}, ["urn:s|7"], "permit"),
        ({"display": "Dr Wang"}, ["Practitioner/x"], "deny"),
    ],
)
def test_a_permit_for_an_actor_is_for_all_that_the_actor_is(named, actors, outcome):
    """By reference or identifier, by oneself or as a member of something."""
    assert decided(consent({**PERMIT, "actor": [actor(named)]}), actors=actors).outcome == outcome


def test_a_deny_for_somebody_who_is_only_described_is_for_everybody():
    """A name that nobody can resolve must not leave the door open."""
    refused = consent({**DENY, "actor": [actor({"display": "Dr Wang"})]})

    assert decided(refused, policy="permit").outcome == "deny"


def test_an_author_among_the_actors_is_a_condition_on_the_data():
    """Roles of the source say whose data are meant, not who receives them."""
    refused = consent(
        {"type": "permit", "provision": [{**DENY, "actor": [actor("Practitioner/a", "AUT")]}]}
    )
    decision = decided(refused)

    assert not decision.of(observation(performer=[{"reference": "Practitioner/a"}])).permitted
    assert decision.of(observation(performer=[{"reference": "Practitioner/b"}])).permitted


@pytest.mark.parametrize(
    ("period", "at", "outcome"),
    [
        ({"end": "2026-06-01"}, datetime(2026, 6, 1, 23, 59, 59, tzinfo=UTC), "permit"),
        ({"end": "2026-06-01"}, datetime(2026, 6, 2, tzinfo=UTC), "deny"),
        ({"start": "2026-06-02"}, datetime(2026, 6, 1, 23, tzinfo=UTC), "deny"),
        ({"start": "2026"}, datetime(2026, 1, 1, tzinfo=UTC), "permit"),
        ({"end": "2026-06-01T12:00:00+08:00"}, datetime(2026, 6, 1, 5, tzinfo=UTC), "deny"),
    ],
)
def test_a_provision_is_in_force_within_its_period(period, at, outcome):
    """Both ends belong to it, as wide as their dates are precise."""
    assert decided(consent({**PERMIT, "period": period}), at=at).outcome == outcome


def test_an_expired_root_takes_its_exceptions_with_it():
    """An exception lasts no longer than the consent."""
    old = consent(
        {
            **DENY,
            "period": {"end": "2025"},
            "provision": [{**PERMIT, "purpose": purpose("BTG"), "period": {"start": "2020"}}],
        }
    )

    assert decided(old, why="BTG", may_break_glass=True).outcome == "deny"


@pytest.mark.parametrize(
    ("action", "actions", "outcome"),
    [
        ("access", {"access", "use"}, "permit"),
        ("use", {"access", "use"}, "permit"),
        ("correct", {"access", "use"}, "deny"),
        ("disclose", {"disclose"}, "permit"),
    ],
)
def test_an_action_is_compared_with_what_is_done(action, actions, outcome):
    """Reading is access and use; a permit to correct is no permit to read."""
    stated = [
        {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": action}
            ]
        }
    ]
    decision = decided(consent({**PERMIT, "action": stated}), actions=frozenset(actions))

    assert decision.outcome == outcome


@pytest.mark.parametrize(
    ("policy", "why", "may", "outcome"),
    [
        ("permit", "TREAT", False, "permit"),
        ("permit", "HMARKT", False, "deny"),
        ("permit", "BTG", True, "permit"),
        ("permit", "BTG", False, "deny"),
        ("deny", "TREAT", True, "deny"),
        ("deny", "BTG", True, "deny"),
        ("break-glass", "TREAT", True, "deny"),
        ("break-glass", "BTG", True, "permit"),
        ("break-glass", "BTG", False, "deny"),
        ("permit", "", False, "deny"),
    ],
)
def test_without_a_consent_the_policy_of_the_site_decides(policy, why, may, outcome):
    """Usual purposes, only breaking the glass, or nothing."""
    decision = decided(policy=policy, why=why, may_break_glass=may)

    assert (decision.outcome, decision.reason, decision.consents) == (outcome, "policy", ())
