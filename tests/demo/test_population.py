"""The residents of H community."""

from collections import Counter

from fhir_bridge.demo.identifiers import identity_number
from fhir_bridge.demo.population import AS_OF, households, residents
from fhir_bridge.demo.signing import agreements, signed_target


def test_a_community_has_exactly_as_many_residents_as_asked_for():
    """The last household is cut short where needed."""
    assert [sum(1 for _ in residents(n, 1)) for n in (1, 7, 100, 1001)] == [1, 7, 100, 1001]


def test_the_same_seed_gives_the_same_people_and_another_seed_others():
    """Any part can be made again without the rest."""
    assert list(residents(300, 4)) == list(residents(300, 4))
    assert list(residents(300, 4))[:45] == list(residents(50, 4))[:45]
    assert list(residents(300, 4)) != list(residents(300, 5))


def test_identity_numbers_are_valid_unique_and_agree_with_birth_and_sex():
    """GB 11643: check character, birth date at 7 to 14, odd sequence for men."""
    people = list(residents(20_000, 2))
    assert len({person.national_id for person in people}) == 20_000
    for person in people[::37]:
        number = person.national_id
        assert number == identity_number(number[:6], person.birth, int(number[14:17]))
        assert int(number[16]) % 2 == person.male
        assert person.birth <= AS_OF


def test_the_ages_are_those_of_a_city():
    """About one in six is 65 or older, about one in five a minor."""
    people = list(residents(13_420, 1))
    elderly = sum(person.age >= 65 for person in people) / len(people)
    minors = sum(person.age < 18 for person in people) / len(people)
    assert 0.13 < elderly < 0.20
    assert 0.13 < minors < 0.23


def test_children_bear_the_surname_of_the_head_of_the_household():
    """Households are families, not random people under one roof."""
    for household in households(500, 3):
        head = household.members[0]
        for member in household.members:
            if member.relation in {"20", "30"}:
                assert member.surname == head.surname
                assert member.birth > head.birth


def test_2840_of_13420_are_signed_with_three_doctors_far_over_600_each():
    """The figures of the study, and the load that the rule must notice."""
    found = list(agreements(13_420, 1))
    assert len(found) == 2840
    loads = Counter(agreement.team.code for agreement in found)
    assert len(loads) == 3
    assert min(loads.values()) > 900


def test_the_signed_share_is_exact_at_every_size():
    """A running quota, closed at the end."""
    for count in (1, 20, 100, 777, 2000):
        assert sum(1 for _ in agreements(count, 9)) == signed_target(count)


def test_an_agreement_is_in_force_and_lasts_whole_years_from_one_to_three():
    """Validity of one to three years; children are signed for by the head of the household."""
    for agreement in agreements(1500, 6):
        assert agreement.begin <= AS_OF < agreement.end
        assert 1 <= agreement.years <= 3
        assert agreement.signed <= agreement.begin
        assert agreement.signer.age >= 18
