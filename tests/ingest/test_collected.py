"""A converted Bundle stands alone: no requests, no references by search."""

from fhir_bridge.ingest import collected


def test_a_reference_by_search_becomes_one_by_number():
    """What else stands in the reference stays; entries carry no request."""
    reference = {"reference": "Organization?identifier=urn%3Aoid%3A1.2%7CA%201", "display": "x"}
    visit = {"resourceType": "Encounter", "serviceProvider": reference}
    request = {"method": "PUT", "url": "Encounter?identifier=a|b"}
    bundle = {"resourceType": "Bundle", "type": "collection"}
    entry = collected({**bundle, "entry": [{"resource": visit, "request": request}]})["entry"][0]

    assert ["resource"] == list(entry)
    assert {
        "type": "Organization",
        "identifier": {"system": "urn:oid:1.2", "value": "A 1"},
        "display": "x",
    } == entry["resource"]["serviceProvider"]


def test_other_references_and_other_bundles_stay():
    """A transaction means its requests; a literal reference is one."""
    literal = {"resource": {"resourceType": "Encounter", "subject": {"reference": "urn:uuid:1"}}}
    transaction = {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": {}}]}
    collection = {"resourceType": "Bundle", "type": "collection", "entry": [literal]}

    assert transaction == collected(transaction)
    assert collection == collected(collection)


def test_what_is_said_twice_of_one_thing_stands_once():
    """Each fullUrl once (bdl-7); what comes later stands over the earlier."""
    said = [{"resourceType": "Account", "status": "active", "name": "a"}, {"name": "b"}]
    entries = [{"fullUrl": "urn:uuid:1", "resource": resource} for resource in said]
    found = collected({"resourceType": "Bundle", "type": "collection", "entry": entries})

    assert [{"resourceType": "Account", "status": "active", "name": "b"}] == [
        entry["resource"] for entry in found["entry"]
    ]
