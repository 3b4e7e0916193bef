"""When fhir.resources is asked."""

from fhir_bridge.validation import SecondOpinion

BROKEN = {"resourceType": "Patient", "nonsense": 1}


def test_the_first_of_each_type_are_asked() -> None:
    """A sample shows a faulty map without paying for every record."""
    opinion = SecondOpinion(first=2)

    assert [1, 1, 0] == [len(opinion.check(BROKEN)) for _ in range(3)]
    assert 1 == len(
        opinion.check({"resourceType": "Group", "nonsense": 1, "type": "person", "actual": True})
    )


def test_always_and_never() -> None:
    """None asks for all, 0 for none."""
    assert [1, 1] == [len(SecondOpinion(first=None).check(BROKEN)) for _ in range(2)]
    assert [] == SecondOpinion(first=0).check(BROKEN)
