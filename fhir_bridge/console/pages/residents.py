"""The pages of residents: find one, and all about one."""

from __future__ import annotations

from typing import Any

from flask import g, request

from fhir_bridge.console.pages.page import PAGE_SIZE, Page
from fhir_bridge.console.record.gather import gather
from fhir_bridge.console.record.identity_links import link_lines
from fhir_bridge.console.record.labels import Labels
from fhir_bridge.console.services import Services
from fhir_bridge.console.text.display import list_of, person_name
from fhir_bridge.console.text.identifier_names import IdentifierNames
from fhir_bridge.console.text.terms import Terms
from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.identity import decisions

__all__ = ["ResidentPages"]


class ResidentPages:
    """The list of residents and the record of one."""

    def __init__(self, services: Services, names: IdentifierNames) -> None:
        self._services, self._names = services, names
        self._page = Page(services)
        self._terms = Terms(services.profiles.code_systems.values())

    def residents(self) -> str:
        """``/console/residents?q=``: by name (characters, pinyin, initials) or identifier."""
        query = request.args.get("q", "").strip()[:100]
        page = self._search_residents(query)
        found = [_resident_line(parse_json(match.body)) for match in page.matches]
        return self._page.render(
            "residents.html",
            "residents",
            query=query,
            found=found,
            total=page.total,
            following=self._page.following(page.next),
        )

    def _search_residents(self, query: str) -> Any:
        paging = [("_count", str(PAGE_SIZE)), ("_total", "accurate")]
        cursor = request.args.get("after", "")
        reader = self._page.reader()
        if query and any(character.isdigit() for character in query):
            return reader.page("Patient", [("identifier", _escaped(query)), *paging], cursor)
        by_name = [("name", _escaped(query))] if query else []
        return reader.page("Patient", [*by_name, *paging], cursor)

    def record(self, resident_id: str) -> str:
        """``/console/residents/<id>``: everything of one resident."""
        reader = self._page.reader()
        patient = self._page.get(reader, "Patient", resident_id)
        language = g.words.language
        feeds = {
            feed.name: (
                feed.title.get(language[:2]) or feed.title.get("en", feed.name),
                feed.source,
            )
            for feed in self._services.feeds.values()
        }
        labels = Labels(g.words, self._terms, self._names, feeds)
        gathered = gather(patient, reader, labels)
        decided = decisions(self._services.store, resident_id) if reader.sees_everything else []
        fhir_base = self._services.settings.fhir_base
        results_link = f"{fhir_base}/Observation?subject=Patient/{resident_id}&_sort=-date"
        return self._page.render(
            "record.html",
            "residents",
            fhir=f"{fhir_base}/Patient/{resident_id}",
            results_link=results_link,
            links=link_lines(resident_id, decided, reader, labels),
            **gathered,
        )


def _escaped(value: str) -> str:
    """A typed value for a search parameter: its commas, bars and dollars are no syntax."""
    for character in "\\,|$":
        value = value.replace(character, f"\\{character}")
    return value


def _resident_line(patient: Resource) -> dict[str, Any]:
    return {
        "id": patient["id"],
        "name": person_name(patient),
        "sex": patient.get("gender", "unknown"),
        "born": patient.get("birthDate", ""),
        "identifiers": [one.get("value", "") for one in list_of(patient, "identifier")][:4],
    }
