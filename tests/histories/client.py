"""What a client of the FHIR service knows that follows the record's history.

After each step it asks ``/_history?_since=…`` for what changed; so what is compared with
the model is what anybody can read, and nothing of the product's inside.
"""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

__all__ = ["Follower", "Resource"]

Resource = dict[str, Any]

_SHARED = frozenset({"Practitioner", "Organization", "Location", "PractitionerRole"})
"""Kinds that histories share; kept when a new history begins."""
_UNSEEN = frozenset({"Provenance"})


class Follower:
    """The newest version of every resource that the present history made or changed."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client
        self._since = ""
        self._versions: dict[str, int] = {}
        self.resources: dict[str, Resource] = {}
        self.shared: dict[str, Resource] = {}

    def begin(self) -> None:
        """Forgets what earlier histories made."""
        self.follow()
        self.resources.clear()

    def follow(self) -> None:
        """Reads what changed since the last time."""
        address = "/fhir/_history?_count=200"
        if self._since:
            address += f"&_since={self._since.replace('+', '%2B')}"
        newest = self._since
        while address:
            page = self.get(address)
            for entry in page.get("entry", ()):
                newest = max(newest, entry["response"]["lastModified"])
                self._take(entry)
            following = [link["url"] for link in page["link"] if link["relation"] == "next"]
            address = "/fhir" + following[0].partition("/fhir")[2] if following else ""
        self._since = newest

    def get(self, address: str) -> Resource:
        """The answer to a GET."""
        answer = self._client.get(address)
        assert answer.status_code == 200, (
            f"{address}: {answer.status} {answer.get_data(as_text=True)[:500]}"
        )
        return answer.get_json()

    def _take(self, entry: Resource) -> None:
        reference = "/".join(entry["fullUrl"].rsplit("/", 2)[1:])
        kind = reference.partition("/")[0]
        if kind in _UNSEEN:
            return
        version = int(entry["response"]["etag"].strip('W/"'))
        if self._versions.get(reference, 0) >= version:
            return
        self._versions[reference] = version
        kept = self.shared if kind in _SHARED else self.resources
        if "resource" in entry:
            kept[reference] = entry["resource"]
        else:
            kept.pop(reference, None)

    def versions(self) -> dict[str, int]:
        """The version of each resource of the present history."""
        return {place: self._versions[place] for place in self.resources}

    def resource(self, reference: str) -> Resource | None:
        """What a reference leads to, if it was written lately."""
        return self.resources.get(reference) or self.shared.get(reference)

    def all(self, kind: str) -> list[Resource]:
        """The resources of a kind that the present history made."""
        return [each for each in self.resources.values() if each["resourceType"] == kind]
