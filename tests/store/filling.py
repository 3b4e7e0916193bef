"""What searches are tried on."""

from __future__ import annotations

from fhir_bridge.store import Store
from tests.store.asking import observation, patient


def fill(store: Store) -> Store:
    """Puts in two patients with observations, an organization, a group."""
    with store.transaction() as tx:
        tx.put_many(
            [
                patient(
                    "a",
                    name=[{"text": "单小明", "family": "单", "given": ["小明"]}],
                    birthDate="1970-01-01",
                    managingOrganization={"reference": "Organization/org"},
                ),
                patient("b", name=[{"family": "Müller", "given": ["Ada"]}], birthDate="1980"),
                {"resourceType": "Organization", "id": "org", "name": "中心"},
                observation("a1", "a", effectiveDateTime="2024-01-01"),
                observation("a2", "a", "2-2", effectiveDateTime="2024-01-02"),
                observation("b1", "b", effectiveDateTime="2024-01-03"),
                {
                    "resourceType": "Group",
                    "id": "g",
                    "type": "person",
                    "actual": True,
                    "member": [{"entity": {"reference": "Patient/a"}}],
                },
            ]
        )
    return store
