"""The routes of the pages.

Every answer carries a Content-Security-Policy without scripts, is not kept by caches, and may
not be framed.  A page that does not exist and one that may not be seen look alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from jinja2 import Environment
from markupsafe import Markup

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.console import form_token
from fhir_bridge.console.counts import Counts, RecordCounts
from fhir_bridge.console.display import list_of, minute, person_name
from fhir_bridge.console.held_view import held_lines
from fhir_bridge.console.identifier_names import IdentifierNames
from fhir_bridge.console.issue_text import in_language
from fhir_bridge.console.known import Known
from fhir_bridge.console.language import LANGUAGES, choose, words
from fhir_bridge.console.link_view import link_lines
from fhir_bridge.console.load_rule import read_load_rule
from fhir_bridge.console.overview import entry_view, feed_views
from fhir_bridge.console.quarantine import MOST_READ, detail
from fhir_bridge.console.readable import outline, summary
from fhir_bridge.console.reader import Reader
from fhir_bridge.console.record import gather
from fhir_bridge.console.services import Services
from fhir_bridge.console.terms import Terms
from fhir_bridge.console.unread_view import count_by_feed, view_unread
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir import Resource, definitions, parse_json
from fhir_bridge.identity import decisions
from fhir_bridge.ingest import Replay, pipeline_issues
from fhir_bridge.store import maintenance

__all__ = ["create_console"]

_LANGUAGE_COOKIE = "fhir_bridge_language"
_PAGE = 50
_LAST_ERRORS = 8
_WIDEST = 4_000
"""Characters of one value on a page; the whole of it is in the resource."""
_LARGEST = 2**63 - 1
_ENTRY = f"<int(max={_LARGEST}):entry_id>"
_SAID = ("done", "gone", "still", "waiting")
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

View = Callable[..., Any]
Told = Callable[[], Mapping[str, Sequence[Issue]]]


def create_console(
    services: Services, *, artifacts: Artifacts | None = None, told: Told | None = None
) -> Blueprint:
    """The blueprint: ``/`` and everything under ``/console``.

    `told` says what is wrong now with each feed that receives by itself, and with all ("").
    """
    console = Blueprint(
        "console",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/console/static",
    )
    pages = _Pages(services, artifacts or Artifacts(), told or dict)
    for path, name in (
        ("/", "overview"),
        ("/console/residents", "residents"),
        ("/console/residents/<resident_id>", "record"),
        ("/console/resources/<resource_type>", "resources"),
        ("/console/resources/<resource_type>/<resource_id>", "resource"),
        ("/console/quarantine", "quarantine"),
        (f"/console/quarantine/{_ENTRY}", "entry"),
        ("/console/unread", "unread"),
    ):
        console.add_url_rule(path, name, _guarded(getattr(pages, name)), methods=["GET"])
    console.add_url_rule(
        f"/console/quarantine/{_ENTRY}/replay",
        "replay",
        _guarded(pages.replay),
        methods=["POST"],
    )
    console.record_once(_compile_templates)
    console.before_request(pages.prepare)
    console.after_request(_seal)
    return console


def _compile_templates(state: BlueprintSetupState) -> None:
    """Before the first reader comes: compiling the first page costs more than showing it."""
    environment: Environment = getattr(state.app, "jinja_env")  # noqa: B009 - of Flask, not of its base
    environment.finalize = _of_bounded_width
    for name in ("base.html", "parts.html", "overview.html"):
        environment.get_template(name)


def _of_bounded_width(value: Any) -> Any:
    """Any text of the record as a page prints it: what is too long to be read is cut."""
    if isinstance(value, str) and len(value) > _WIDEST and not isinstance(value, Markup):
        return f"{value[:_WIDEST]}…"
    return value


def _guarded(view: View) -> View:
    """A refusal and a missing record become the same page; other trouble keeps its sentence."""

    @wraps(view)
    def guarded(**places: Any) -> Any:
        try:
            return view(**places)
        except BridgeError as error:
            refused = error.entry.http_status in {401, 403, 404, 410}
            sentence = (
                g.words("not_found")
                if refused
                else in_language(error.issues[0], g.words.language).sentence
            )
            return _message(sentence, 404 if refused else error.entry.http_status)

    return guarded


def _message(sentence: str, status: int) -> Response:
    page = render_template("message.html", sentence=sentence, section="", words=g.words, here=_here)
    return make_response(page, status)


def _seal(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != "console.static":
        response.headers["Cache-Control"] = "no-store"
    if request.args.get("lang") in LANGUAGES:
        response.set_cookie(
            _LANGUAGE_COOKIE,
            request.args["lang"],
            max_age=365 * 86_400,
            httponly=True,
            samesite="Lax",
        )
    return response


class _Pages:
    """The views, with the services behind them."""

    def __init__(self, services: Services, artifacts: Artifacts, told: Told) -> None:
        self._services, self._told = services, told
        self._terms = Terms(services.profiles.code_systems.values())
        self._names = IdentifierNames.from_artifacts(artifacts)
        rule = read_load_rule(artifacts)
        self._counts = RecordCounts(services.store, services.registry, rule.persons_per_doctor)

    def prepare(self) -> None:
        """What every page needs: its words and links to itself."""
        g.words = words(
            choose(
                request.args.get("lang"),
                request.cookies.get(_LANGUAGE_COOKIE),
                request.headers.get("Accept-Language", ""),
                self._services.settings.language,
            )
        )

    # --- the first page ---------------------------------------------------------------

    def overview(self) -> str:
        """``/``: feeds, last errors, findings, counts by type."""
        store, language = self._services.store, g.words.language
        self._require_everything()
        quarantined = store.quarantine.counts_by_feed()
        feeds = feed_views(
            self._services.feeds,
            store.journal.counts_by_feed(),
            quarantined,
            language,
            count_by_feed(store.unread.places()),
        )
        counts = self._counts.now()
        return self._render(
            "overview.html",
            "overview",
            feeds=feeds,
            entries=[
                entry_view(one, language)
                for one in store.quarantine.list(limit=_LAST_ERRORS, most_bytes=0)
            ],
            types=counts.types,
            total=counts.total,
            loads=counts.loads,
            held=held_lines(store.reviews.list(limit=_LAST_ERRORS), self._names, g.words),
            tiles=self._tiles(counts, feeds),
            warnings=[in_language(issue, language) for issue in self._warnings()],
        )

    def _warnings(self) -> list[Issue]:
        """What the operator should mend: storage, feeds, index; each said once."""
        store = self._services.store
        told = [issue for issues in self._told().values() for issue in issues]
        found = [
            *filter(None, [store.storage.trouble()]),
            *told,
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
        self._require_everything()
        feed_name = request.args.get("feed", "").strip()[:100]
        places = view_unread(self._services.store.unread.places(feed_name))
        return self._render("unread.html", "overview", feed_name=feed_name, places=places)

    # --- residents --------------------------------------------------------------------

    def residents(self) -> str:
        """``/console/residents?q=``: by name (characters, pinyin, initials) or identifier."""
        query = request.args.get("q", "").strip()[:100]
        page = self._search_residents(query)
        found = [_resident_line(parse_json(match.body)) for match in page.matches]
        return self._render(
            "residents.html",
            "residents",
            query=query,
            found=found,
            total=page.total,
            following=self._following(page.next),
        )

    def _search_residents(self, query: str) -> Any:
        paging = [("_count", str(_PAGE)), ("_total", "accurate")]
        cursor = request.args.get("after", "")
        reader = self._reader()
        if query and any(character.isdigit() for character in query):
            return reader.page("Patient", [("identifier", _escaped(query)), *paging], cursor)
        by_name = [("name", _escaped(query))] if query else []
        return reader.page("Patient", [*by_name, *paging], cursor)

    def record(self, resident_id: str) -> str:
        """``/console/residents/<id>``: everything of one resident."""
        reader = self._reader()
        patient = self._get(reader, "Patient", resident_id)
        language = g.words.language
        feeds = {
            feed.name: (
                feed.title.get(language[:2]) or feed.title.get("en", feed.name),
                feed.source,
            )
            for feed in self._services.feeds.values()
        }
        known = Known(g.words, self._terms, self._names, feeds)
        gathered = gather(patient, reader, known)
        decided = decisions(self._services.store, resident_id) if reader.sees_everything else []
        fhir_base = self._services.settings.fhir_base
        results_link = f"{fhir_base}/Observation?subject=Patient/{resident_id}&_sort=-date"
        return self._render(
            "record.html",
            "residents",
            fhir=f"{fhir_base}/Patient/{resident_id}",
            results_link=results_link,
            links=link_lines(resident_id, decided, reader, known),
            **gathered,
        )

    # --- resources --------------------------------------------------------------------

    def resources(self, resource_type: str) -> str:
        """``/console/resources/<Type>``: the stored resources of a type, newest first."""
        if resource_type not in definitions().resource_types:
            raise BridgeError("FB-4001", resource_type=resource_type[:64], id="")
        pairs = [("_count", str(_PAGE)), ("_total", "accurate"), ("_sort", "-_lastUpdated")]
        page = self._reader().page(resource_type, pairs, request.args.get("after", ""))
        found = [
            {
                "id": match.id,
                "summary": summary(parse_json(match.body)),
                "updated": minute(match.last_updated),
                "fhir": f"{self._services.settings.fhir_base}/{resource_type}/{match.id}",
            }
            for match in page.matches
        ]
        return self._render(
            "resources.html",
            "",
            resource_type=resource_type,
            found=found,
            total=page.total or 0,
            following=self._following(page.next),
        )

    def resource(self, resource_type: str, resource_id: str) -> str:
        """``/console/resources/<Type>/<id>``: one resource as an outline."""
        found = self._get(self._reader(), resource_type, resource_id)
        return self._render(
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

    # --- quarantine -------------------------------------------------------------------

    def quarantine(self) -> Response:
        """``/console/quarantine``: what could not be taken, newest first."""
        self._require_everything()
        feed = request.args.get("feed", "")
        before = min(request.args.get("before", 0, type=int), _LARGEST)
        door = self._services.store.quarantine
        found = door.list(feed, before=before, limit=_PAGE + 1, most_bytes=0)
        counts = door.counts_by_feed()
        following = ""
        if len(found) > _PAGE:
            found = found[:_PAGE]
            following = _here(before=found[-1].item_id)
        said = request.args.get("said", "")
        notice = f"replay_{said}" if said in _SAID else ""
        return self._with_form(
            "quarantine.html",
            entries=[entry_view(one, g.words.language) for one in found],
            total=sum(sum(codes.values()) for name, codes in counts.items() if feed in {"", name}),
            feed_name=feed,
            following=following,
            notice=g.words(notice) if notice else "",
        )

    def entry(self, entry_id: int) -> Response:
        """``/console/quarantine/<id>``: reasons, hints and the bytes as text."""
        self._require_everything()
        found = self._services.store.quarantine.get(entry_id, most_bytes=MOST_READ)
        return self._with_form("entry.html", entry=detail(found, g.words.language))

    def replay(self, entry_id: int) -> Any:
        """POST ``/console/quarantine/<id>/replay``: try the message again."""
        self._require_everything()
        cookie = request.cookies.get(form_token.COOKIE)
        if not form_token.valid(self._services.secret, cookie, request.form.get("token")):
            return _message(g.words("form_expired"), 403)
        try:
            (replayed,) = Replay(self._services.store, self._services.pipeline).items([entry_id])
        except BridgeError as error:
            if error.code != "FB-5202":
                raise
            return redirect(url_for("console.quarantine", said="gone"), 303)
        said = "waiting" if replayed.waiting else "done" if replayed.recorded else "still"
        return redirect(url_for("console.quarantine", said=said), 303)

    # --- what several pages share -----------------------------------------------------

    def _reader(self) -> Reader:
        access = self._services.access_for(request)
        return Reader(self._services.store, self._services.registry, access)

    def _require_everything(self) -> None:
        """Counts and quarantine show all feeds: only for those who may see everything."""
        if not self._services.access_for(request).is_everything:
            raise BridgeError("FB-4201")

    def _get(self, reader: Reader, resource_type: str, resource_id: str) -> Resource:
        found = reader.resource(resource_type, resource_id)
        if found is None:
            raise BridgeError("FB-4001", resource_type=resource_type, id=resource_id[:64])
        return found

    def _following(self, cursor: str) -> str:
        return _here(after=cursor) if cursor else ""

    def _render(self, template: str, section: str, **values: Any) -> str:
        return render_template(template, section=section, words=g.words, here=_here, **values)

    def _with_form(self, template: str, **values: Any) -> Response:
        """A page with a form: its token, and the cookie that the token belongs to."""
        cookie = request.cookies.get(form_token.COOKIE) or form_token.fresh_cookie()
        token = form_token.sign(self._services.secret, cookie)
        response = make_response(self._render(template, "quarantine", token=token, **values))
        response.set_cookie(form_token.COOKIE, cookie, httponly=True, samesite="Strict")
        return response


def _here(**changes: Any) -> str:
    """The address of this page with some of its query changed; ``said`` is never kept."""
    query = {name: value for name, value in request.args.items() if name != "said"}
    return f"{request.path}?{urlencode(query | changes)}"


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
