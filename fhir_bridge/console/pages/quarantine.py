"""The pages of quarantine: what could not be taken, and the button that tries one again."""

from __future__ import annotations

from typing import Any

from flask import Response, g, redirect, request, url_for

from fhir_bridge.accounts import form_token
from fhir_bridge.console.monitor.overview import entry_view
from fhir_bridge.console.monitor.quarantine import MAX_READ, detail
from fhir_bridge.console.pages.page import MAX_ID, PAGE_SIZE, Page, here, message
from fhir_bridge.console.services import Services
from fhir_bridge.errors import BridgeError
from fhir_bridge.ingest import Replay

__all__ = ["QuarantinePages"]

_NOTICES = ("done", "gone", "still", "waiting")


class QuarantinePages:
    """The list, one message, and its replay."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._page = Page(services)

    def quarantine(self) -> Response:
        """``/console/quarantine``: what could not be taken, newest first."""
        self._page.require_everything()
        feed = request.args.get("feed", "")
        before = min(request.args.get("before", 0, type=int), MAX_ID)
        door = self._services.store.quarantine
        found = door.list(feed, before=before, limit=PAGE_SIZE + 1, most_bytes=0)
        counts = door.counts_by_feed()
        following = ""
        if len(found) > PAGE_SIZE:
            found = found[:PAGE_SIZE]
            following = here(before=found[-1].item_id)
        said = request.args.get("said", "")
        notice = f"replay_{said}" if said in _NOTICES else ""
        return self._page.with_form(
            "quarantine.html",
            entries=[entry_view(one, g.words.language) for one in found],
            total=sum(sum(codes.values()) for name, codes in counts.items() if feed in {"", name}),
            feed_name=feed,
            following=following,
            notice=g.words(notice) if notice else "",
        )

    def entry(self, entry_id: int) -> Response:
        """``/console/quarantine/<id>``: reasons, hints and the bytes as text."""
        self._page.require_everything()
        found = self._services.store.quarantine.get(entry_id, most_bytes=MAX_READ)
        return self._page.with_form("entry.html", entry=detail(found, g.words.language))

    def replay(self, entry_id: int) -> Any:
        """POST ``/console/quarantine/<id>/replay``: try the message again."""
        self._page.require_everything()
        cookie = request.cookies.get(form_token.COOKIE)
        if not form_token.valid(self._services.secret, cookie, request.form.get("token")):
            return message(g.words("form_expired"), 403)
        try:
            (replayed,) = Replay(self._services.store, self._services.pipeline).items([entry_id])
        except BridgeError as error:
            if error.code != "FB-5202":
                raise
            return redirect(url_for("console.quarantine", said="gone"), 303)
        said = "waiting" if replayed.waiting else "done" if replayed.recorded else "still"
        return redirect(url_for("console.quarantine", said=said), 303)
