"""When fhir.resources is asked."""

import subprocess
import sys

import pytest

from fhir_bridge.validation import ModelsCheck

BROKEN = {"resourceType": "Patient", "nonsense": 1}


def test_the_first_of_each_type_are_asked() -> None:
    """A sample shows a faulty map without paying for every record."""
    opinion = ModelsCheck(first=2)

    assert [1, 1, 0] == [len(opinion.check(BROKEN)) for _ in range(3)]
    assert 1 == len(
        opinion.check({"resourceType": "Group", "nonsense": 1, "type": "person", "actual": True})
    )


def test_always_and_never() -> None:
    """None asks for all, 0 for none."""
    assert [1, 1] == [len(ModelsCheck(first=None).check(BROKEN)) for _ in range(2)]
    assert [] == ModelsCheck(first=0).check(BROKEN)


@pytest.mark.parametrize(("first", "loaded"), [(3, True), (0, False)])
def test_a_service_loads_the_models_before_its_first_message_unless_they_are_never_asked(
    first, loaded
):
    """The library takes a third of a second, which no message and no new worker waits for."""
    code = (
        "import sys; from fhir_bridge.validation import ModelsCheck;"
        f"ModelsCheck({first}).load(); print('fhir.resources.R4B' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(loaded)
