"""The pages of resources: those of a type, and one as an outline."""

from __future__ import annotations

from flask import request

from fhir_bridge.console.outline import outline, summary
from fhir_bridge.console.pages.page import PAGE_SIZE, Page
from fhir_bridge.console.services import Services
from fhir_bridge.console.text.display import minute
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions, parse_json

__all__ = ["ResourcePages"]


class ResourcePages:
    """Whatever is stored, newest first, and each in readable form."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._page = Page(services)

    def resources(self, resource_type: str) -> str:
        """``/console/resources/<Type>``: the stored resources of a type, newest first."""
        if resource_type not in definitions().resource_types:
            raise BridgeError("FB-4001", resource_type=resource_type[:64], id="")
        pairs = [("_count", str(PAGE_SIZE)), ("_total", "accurate"), ("_sort", "-_lastUpdated")]
        page = self._page.reader().page(resource_type, pairs, request.args.get("after", ""))
        found = [
            {
                "id": match.id,
                "summary": summary(parse_json(match.body)),
                "updated": minute(match.last_updated),
                "fhir": f"{self._services.settings.fhir_base}/{resource_type}/{match.id}",
            }
            for match in page.matches
        ]
        return self._page.render(
            "resources.html",
            "",
            resource_type=resource_type,
            found=found,
            total=page.total or 0,
            following=self._page.following(page.next),
        )

    def resource(self, resource_type: str, resource_id: str) -> str:
        """``/console/resources/<Type>/<id>``: one resource as an outline."""
        found = self._page.get(self._page.reader(), resource_type, resource_id)
        return self._page.render(
            "resource.html",
            "",
            resource_type=resource_type,
            resource_id=resource_id,
            summary=summary(found),
            lines=list(outline(found)),
            version=found.get("meta", {}).get("versionId", ""),
            updated=minute(found.get("meta", {}).get("lastUpdated")),
            fhir=f"{self._services.settings.fhir_base}/{resource_type}/{resource_id}",
        )
