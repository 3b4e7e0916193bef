"""Who signs in at a closed demo: people of the record itself, who see what is theirs."""

from __future__ import annotations

import io
import re

import pytest
import requests
from rich.console import Console

from fhir_bridge.demo.people import make_people
from fhir_bridge.demo.report import print_addresses, words
from fhir_bridge.demo.summary import summarize
from tests.console.community import resources
from tests.smart.site import Browser, running


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A closed site with one agreement in force."""
    with running(tmp_path_factory.mktemp("site")) as site:
        with site.services.store.transaction() as transaction:
            transaction.put_many(resources())
        yield site


def test_the_demo_prints_sign_ins_and_a_curl_that_work(site):
    """A resident, their doctor, an operator; a second run has the same names and new passwords."""
    make_people(site.services.gate, site.services.store)
    people = make_people(site.services.gate, site.services.store)
    assert [each.role for each in people.sign_ins] == ["operator", "resident", "doctor"]
    assert people.patient == "p1"
    (doctor,) = site.accounts.by_name("doctor").bindings
    assert doctor.practitioner == "HC001"

    printed = io.StringIO()
    summary = summarize(site.services, 1.0, "en")
    console = Console(file=printed)
    print_addresses(summary, f"{site.root}/", site.base, console, words("en"), people=people)
    text = printed.getvalue()
    for each in people.sign_ins:
        assert f"{each.name}  {each.password}" in text
        assert Browser(site).sign_in(each.name, each.password).status_code == 200
    token, address = re.search(r"Bearer ([\w-]+)' '([^']+)'", text).groups()
    answer = requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=120)
    assert answer.json()["id"] == "p1"
    assert requests.get(address, timeout=120).status_code == 401
