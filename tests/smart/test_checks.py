"""Each public check has a case here, and holds; the runners take them over the published lists."""

from __future__ import annotations

import pytest

from tests.smart import cases_fhir, cases_jwt, cases_oauth, cases_openid, cases_smart
from tests.smart.cases import CASES
from tests.smart.site import forget_tries

_MODULES = (cases_oauth, cases_jwt, cases_openid, cases_smart, cases_fhir)
_FUNCTIONS = list(dict.fromkeys(CASES.values()))


def test_every_list_of_cases_is_run():
    """None is forgotten when a module is added."""
    assert {each.__module__ for each in _FUNCTIONS} == {each.__name__ for each in _MODULES}


@pytest.mark.parametrize("function", _FUNCTIONS, ids=[each.__name__ for each in _FUNCTIONS])
def test_the_check_holds(site, function):
    """An exchange with a running site, as an app, a person or an attacker makes it."""
    forget_tries(site)
    assert function(site) is None  # a case asserts by itself what it sees
