"""The first page, and the page of what no map reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import g, request, url_for

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.console.monitor.counts import Counts, RecordCounts
from fhir_bridge.console.monitor.load_rule import read_load_rule
from fhir_bridge.console.monitor.overview import entry_view, feed_views
from fhir_bridge.console.monitor.reviews import review_lines
from fhir_bridge.console.monitor.unread import count_by_feed, view_unread
from fhir_bridge.console.pages.page import Page
from fhir_bridge.console.services import Services
from fhir_bridge.console.text.identifier_names import IdentifierNames
from fhir_bridge.console.text.issue_text import in_language
from fhir_bridge.errors import Issue
from fhir_bridge.ingest import pipeline_issues
from fhir_bridge.store import maintenance

__all__ = ["OverviewPages"]

ReadConditions = Callable[[], Mapping[str, Sequence[Issue]]]
_MAX_ERRORS = 8


class OverviewPages:
    """Feeds, last errors, warnings and counts."""

    def __init__(
        self,
        services: Services,
        artifacts: Artifacts,
        names: IdentifierNames,
        conditions: ReadConditions,
    ) -> None:
        self._services, self._conditions, self._names = services, conditions, names
        self._page = Page(services)
        rule = read_load_rule(artifacts)
        self._counts = RecordCounts(services.store, services.registry, rule.persons_per_doctor)

    def overview(self) -> str:
        """``/``: feeds, last errors, findings, counts by type."""
        store, language = self._services.store, g.words.language
        self._page.require_everything()
        quarantined = store.quarantine.counts_by_feed()
        feeds = feed_views(
            self._services.feeds,
            store.journal.counts_by_feed(),
            quarantined,
            language,
            count_by_feed(store.unread.places()),
        )
        counts = self._counts.now()
        return self._page.render(
            "overview.html",
            "overview",
            feeds=feeds,
            entries=[
                entry_view(one, language)
                for one in store.quarantine.list(limit=_MAX_ERRORS, most_bytes=0)
            ],
            types=counts.types,
            total=counts.total,
            loads=counts.loads,
            held=review_lines(store.reviews.list(limit=_MAX_ERRORS), self._names, g.words),
            tiles=self._tiles(counts, feeds),
            warnings=[in_language(issue, language) for issue in self._warnings()],
        )

    def _warnings(self) -> list[Issue]:
        """What the operator should mend: storage, feeds, index; each said once."""
        store = self._services.store
        reported = [issue for issues in self._conditions().values() for issue in issues]
        found = [
            *filter(None, [store.storage.trouble()]),
            *reported,
            *maintenance.index_issues(store),
            *pipeline_issues(store),
        ]
        return list({(each.code, each.sentence): each for each in found}.values())

    def _tiles(self, counts: Counts, feeds: list[Any]) -> list[dict[str, Any]]:
        quarantined = sum(feed.quarantined for feed in feeds)
        waiting = sum(feed.waiting for feed in feeds)
        tiles = [
            ("residents_count", dict(counts.types).get("Patient", 0), url_for("console.residents")),
            ("contracts_count", counts.in_force, url_for("console.resources", resource_type="Contract")),
            ("resources_count", counts.total, url_for("console.resources", resource_type="Patient")),
            ("waiting_count", waiting, url_for("console.overview")),
            ("quarantined_count", quarantined, url_for("console.quarantine")),
        ]  # fmt: skip
        return [
            {
                "label": g.words(key),
                "count": count,
                "link": link,
                "alarm": key == "quarantined_count" and count > 0,
            }
            for key, count, link in tiles
        ]

    def unread(self) -> str:
        """``/console/unread?feed=``: what came and no map took over."""
        self._page.require_everything()
        feed_name = request.args.get("feed", "").strip()[:100]
        places = view_unread(self._services.store.unread.places(feed_name))
        return self._page.render("unread.html", "overview", feed_name=feed_name, places=places)
