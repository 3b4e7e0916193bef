"""Wires the parts: the one place that knows them all.

:func:`build` makes the services of a site from its settings; :class:`Product` runs them:
listeners → journal → pipeline on one side, pages and the FHIR API on the other.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from socket import socket
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from flask import Flask, Response, make_response, redirect, request
from flask import Request as HttpRequest

from fhir_bridge import clock, log
from fhir_bridge.access import Access, Caller, Compartment
from fhir_bridge.api import (
    Board,
    Conditions,
    Limits,
    Measures,
    ReadConditions,
    Server,
    WorkerApp,
    Workers,
    bind,
    create_app,
    serve,
)
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.audit import AccessLog, AuditKeeper
from fhir_bridge.clients import Puller, read_pull_source
from fhir_bridge.config import Settings, site_secret
from fhir_bridge.conformance import Profiles
from fhir_bridge.console import create_console, in_language, page_language
from fhir_bridge.data_folder import DataFolder, make_private
from fhir_bridge.entitlement import Entitlements, EntitlementSettings, Policy
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions, definitions, parse_json
from fhir_bridge.identity import Linker, load_rules
from fhir_bridge.ingest import Feed, Intake, Pipeline, PipelineProcess, load_feeds
from fhir_bridge.journal import Message
from fhir_bridge.listeners import FolderWatcher, MllpServer
from fhir_bridge.search import Registry
from fhir_bridge.security_labels import Labeller, load_label_rules
from fhir_bridge.store import Store, open_store
from fhir_bridge.transform import Library
from fhir_bridge.update import load_update_rules
from fhir_bridge.validation import Validator

if TYPE_CHECKING:
    from fhir_bridge.sign_in import Gate

__all__ = [
    "Product",
    "Services",
    "build",
    "make_pipeline",
    "search_registry",
    "web_application",
    "worker_app",
    "worker_count",
]

_MAX_WORKERS = 8
"""Each may hold a database connection for each of its threads; PostgreSQL has 100."""


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one site, made once and shared by all threads."""

    settings: Settings
    secret: bytes
    artifacts: Artifacts
    definitions: Definitions
    profiles: Profiles
    registry: Registry
    store: Store
    validator: Validator
    library: Library
    feeds: dict[str, Feed]
    intake: Intake
    pipeline: Pipeline
    entitlements: Entitlements
    """What a caller may do, once they have signed in."""
    access_log: AccessLog | None = None
    gate: Gate | None = None
    labeller: Labeller | None = None

    def access_for(self, request: HttpRequest) -> Access:
        """What the caller of a request may see.

        With ``access = open`` this machine's own requests see everything; a request that came
        through a proxy is not local.  With ``closed`` a request to the FHIR service needs a token
        and a page a session.  Everybody else is refused with FB-4202 or FB-4211.
        """
        if self.gate is None:
            if self.settings.access == "open" and _is_local(request, self.settings.host):
                return Access.everything()
            raise BridgeError("FB-4202")
        if not request.path.startswith("/fhir"):
            return self.access_of(self.gate.person(request))
        if request.path.rstrip("/") == "/fhir/metadata" and request.method in {"GET", "HEAD"}:
            return Access.nothing()
        return self.access_of(self.gate.bearer(request))

    def access_of(self, caller: Caller) -> Access:
        """What a caller may do now: their roles, looked up in the record, cut by an app's scopes."""
        return self.entitlements.of(caller, clock.now())

    def caller_for(self, request: HttpRequest) -> Caller | None:
        """Who asks; None for nobody who is known."""
        if self.gate is None:
            return None
        try:
            is_fhir = request.path.startswith("/fhir")
            return self.gate.bearer(request) if is_fhir else self.gate.person(request)
        except BridgeError:
            return None

    def allows_metrics(self, request: HttpRequest) -> bool:
        """Whether the caller may read counts of requests: this machine, unless it is set open."""
        return self.settings.metrics == "open" or _is_local(request, self.settings.host)


def build(settings: Settings) -> Services:
    """The services of `settings`; opens (and makes or migrates) the database.

    Raises BridgeError when a setting, a feed, a map or a profile cannot be used: a site
    starts whole or not at all.
    """
    log.configure(settings.log_level)
    make_private(settings.data)
    artifacts = Artifacts(*settings.overlay)
    facts = definitions()
    profiles = Profiles.from_artifacts(artifacts)
    registry = search_registry(settings, profiles)
    secret = site_secret(settings)
    policy = Policy.load(artifacts)
    store = _open_record(settings, registry, secret, policy.compartment)
    validator = Validator(facts, profiles)
    _require_sound_profiles(artifacts, validator)
    library = Library.from_artifacts(artifacts)
    feeds = dict(load_feeds(artifacts))
    labeller = Labeller(load_label_rules(artifacts))
    pipeline = make_pipeline(
        settings,
        artifacts,
        store=store,
        feeds=feeds,
        library=library,
        validator=validator,
        labeller=labeller,
    )
    return Services(
        settings=settings,
        secret=secret,
        artifacts=artifacts,
        definitions=facts,
        profiles=profiles,
        registry=registry,
        store=store,
        validator=validator,
        library=library,
        feeds=feeds,
        intake=Intake(store, pipeline.wake),
        pipeline=pipeline,
        access_log=_access_log(settings, store, pipeline),
        gate=_gate(settings, store, secret) if settings.access == "closed" else None,
        entitlements=Entitlements(
            store,
            policy,
            EntitlementSettings(
                settings.after_agreement, settings.guardian_age, settings.referral_days
            ),
        ),
        labeller=labeller,
    )


def _access_log(settings: Settings, store: Store, pipeline: Pipeline) -> AccessLog | None:
    """Where it is written who looked, and beside the pipeline what makes events of it."""
    if settings.access != "closed":
        return None
    folder = settings.data / "audit"
    keeper = AuditKeeper(store, folder, settings.fhir_base, settings.audit_years)
    pipeline.companions.append(keeper.run)
    return AccessLog(folder)


def _gate(settings: Settings, store: Store, secret: bytes) -> Gate:
    """Who knows callers; made only where somebody can sign in."""
    from fhir_bridge.accounts import Accounts
    from fhir_bridge.clients import fetch_key_set
    from fhir_bridge.sign_in import Gate
    from fhir_bridge.smart import Addresses, Smart

    accounts = Accounts(store.storage, secret)
    smart = Smart(
        store.storage,
        secret,
        addresses=Addresses(settings.fhir_base, settings.pages_base),
        accounts=accounts,
        resource_types=definitions().resource_types,
        fetch=fetch_key_set,
    )
    return Gate(accounts, smart, secure=settings.fhir_base.startswith("https://"))


def _require_sound_profiles(artifacts: Artifacts, validator: Validator) -> None:
    """Raise BridgeError for a site's own definition that others would read in another way."""
    for name, path in artifacts.laid_over("profiles", ".json"):
        definition = parse_json(path.read_bytes())
        if definition.get("resourceType") == "StructureDefinition":
            issues = [issue for issue in validator.check(definition) if issue.severity == "error"]
            if issues:
                lead, *others = issues
                where = f"{name}: {lead.where}"
                raise BridgeError(lead.code, where, issues=tuple(others), **lead.details)


def make_pipeline(
    settings: Settings,
    artifacts: Artifacts,
    *,
    store: Store,
    feeds: dict[str, Feed],
    library: Library,
    validator: Validator,
    labeller: Labeller | None = None,
) -> Pipeline:
    """The pipeline of a site over `store`, by the site's rules of persons and of update."""
    update_rules = load_update_rules(artifacts)
    sources = {feed.name: feed.source for feed in feeds.values()}
    return Pipeline(
        store,
        feeds,
        library=library,
        validator=validator,
        linker=Linker(load_rules(artifacts), sources, update_rules),
        update_rules=update_rules,
        batch=settings.batch,
        models_check=settings.models_check,
        labeller=labeller,
    )


def _open_record(
    settings: Settings, registry: Registry, secret: bytes, compartment: Compartment
) -> Store:
    """The store; from now on ids are named with its key."""
    store = open_store(
        settings.database_url,
        registry=registry,
        cursor_key=secret,
        query_seconds=settings.max_query_seconds,
        compartment=compartment,
    )
    clock.set_id_key(store.naming_key)
    return store


def search_registry(settings: Settings, profiles: Profiles) -> Registry:
    """The search parameters of a site; whoever opens its record needs the same ones."""

    def codes(value_set_url: str) -> Iterable[tuple[str, str]] | None:
        by_system = profiles.codes(value_set_url)
        if by_system is None:
            return None
        return ((system, code) for system, found in by_system.items() for code in found)

    return Registry(
        definitions(),
        profiles.search_parameters.values(),
        zone=settings.zone,
        own_bases=(settings.fhir_base,),
        value_set_codes=codes,
        code_systems=profiles.code_systems,
    )


class Product:
    """The running service: :meth:`start` binds everything, :meth:`stop` ends it in order.

    With more than one worker the pages and the API are answered by processes of their own; with
    one worker of the pipeline the journal is worked through by a process of its own (0: by a
    thread of this one, whose `Services.pipeline` then tells its timings).
    """

    def __init__(
        self, services: Services, *, workers: int = 1, pipeline_workers: Literal[0, 1] = 0
    ) -> None:
        self.services = services
        self.worker_count = workers
        self._pipeline = services.pipeline if not pipeline_workers else _process(services)
        settings = services.settings
        feeds = services.feeds.values()
        self.mllp = MllpServer(feeds, services.intake, host=settings.listen)
        self.folders = FolderWatcher(feeds, services.intake, settings.data / "inbox")
        self._pullers = {
            feed.name: _puller(feed, services) for feed in feeds if feed.listener.kind == "rest"
        }
        self._folder = DataFolder(settings.data)
        self._stopping = Event()
        self._threads: list[Thread] = []
        self._listener: socket | None = None
        self._server: Server | None = None
        self._workers: Workers | None = None

    @property
    def page_url(self) -> str:
        """Where the first page is."""
        return f"http://{self.services.settings.host}:{self.services.settings.port}/"

    def start(self, *, web: bool = True) -> None:
        """Begin to receive, to record and, with `web`, to answer.

        Raises BridgeError FB-9003 when another server has the data folder, FB-9004 when a
        feed's port is taken, and OSError when the one of the pages is.  A request that comes earlier waits until every feed can be received: who is answered
        by ``/health`` finds the whole site there.
        """
        settings = self.services.settings
        self._folder.hold()
        self._pipeline.start()  # first: a process that is forked keeps what is open
        if web:
            self._listener = bind(settings.host, settings.port)
        self.mllp.start()
        self.folders.start()
        for puller in self._pullers.values():
            self.follow(puller)
        if self._listener is not None:
            self._answer(self._listener)

    def _answer(self, listener: socket) -> None:
        """Answer HTTP requests: in threads of this process, or in several processes."""
        settings, count = self.services.settings, self.worker_count
        limits = Limits(
            settings.http_connections,
            settings.http_connections_per_address,
            settings.http_head_seconds,
            settings.http_answer_seconds,
        )
        if count == 1:
            self._server = serve(
                web_application(self.services, told=self.conditions),
                settings.host,
                settings.port,
                settings.threads,
                listener=listener,
                limits=limits,
            )
            return
        self._workers = Workers(
            worker_app, settings, listener, count=count, threads=settings.threads,
            limits=limits, told=self.conditions,
        )  # fmt: skip
        self._workers.start()

    def conditions(self) -> Conditions:
        """What is wrong now with each feed that receives by itself; under "" what concerns all."""
        trouble = self.services.store.storage.trouble()
        return {
            **self.mllp.conditions,
            **self.folders.conditions,
            **{
                name: [puller.trouble] if puller.trouble else []
                for name, puller in self._pullers.items()
            },
            "": [trouble] if trouble else [],
        }

    def follow(self, puller: Puller) -> None:
        """Read a pulled source again and again in a thread of its own."""
        thread = Thread(target=puller.run, args=(self._stopping,), name="pull", daemon=True)
        thread.start()
        self._threads.append(thread)

    def puller(self, feed: Feed) -> Puller:
        """A puller of `feed` that puts what it reads into this site's journal."""
        return _puller(feed, self.services)

    def wait_until_idle(self, quiet_seconds: float = 1.0) -> None:
        """Return when nothing was pending, in the journal or a watched folder, for so long.

        Quiet is what two looks found so far apart: a look that a busy machine delayed
        says nothing of the time before it.
        """
        quiet_since: float | None = None
        while True:
            if self.services.store.journal.has_pending() or self._files_wait():
                quiet_since = None
            elif quiet_since is None:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= quiet_seconds:
                return
            time.sleep(min(0.2, quiet_seconds / 2))

    def _files_wait(self) -> bool:
        """Does a watched folder hold a file that is not taken yet (it may still settle)?"""
        return self.folders.waiting()

    def stop(self) -> None:
        """Take no more, finish what is at hand within the time that the settings give, close.

        What is not finished by then is left as it is: nothing of it is committed, and the
        next start does it again.
        """
        until = time.monotonic() + self.services.settings.stop_seconds

        def left(most: float) -> float:
            return max(0.1, min(most, until - time.monotonic()))

        self._stopping.set()
        self.mllp.stop(left(10))
        self.folders.stop(left(2))
        if self._server is not None:
            self._server.close(left(5) / 2)  # it waits for its requests, then for its loop
        if self._workers is not None:
            self._workers.stop(left(10))
        self._pipeline.stop(left(30))
        for thread in self._threads:
            thread.join(left(1))
        if self._listener is not None:
            self._listener.close()
        self.services.store.close()
        self._folder.release()


def worker_count(settings: Settings) -> int:
    """The processes that answer: as many as are set, else one for each core on PostgreSQL.

    SQLite has one writer: several processes wait for each other far longer than the threads
    of one do, so there it is one.  Measured in docs/decisions/adr-2611-serving.md.
    """
    if settings.workers:
        return settings.workers
    if settings.database_url.startswith("sqlite"):
        return 1
    return min(len(os.sched_getaffinity(0)), _MAX_WORKERS)


def worker_app(settings: Settings, measures: Measures, board: Board) -> WorkerApp:
    """What a worker process serves; it opens the record for itself."""
    services = build(settings)
    return WorkerApp(web_application(services, measures, board.read), services.store.close)


def web_application(
    services: Services, measures: Measures | None = None, told: ReadConditions | None = None
) -> Flask:
    """The FHIR API at ``/fhir`` and the pages at ``/`` as one Flask application.

    `told` says what is wrong with the feeds now.
    """
    gate = services.gate
    app = create_app(
        services,
        validation=services.settings.validation,
        measures=measures,
        told=told,
        chinese=lambda issue: in_language(issue, "zh-CN"),
        security=_security(services) if gate is not None else None,
        is_app_origin=gate.is_app_origin if gate is not None else None,
    )
    app.register_blueprint(create_console(services, artifacts=services.artifacts, told=told))
    app.context_processor(lambda: {"is_open": gate is None, "is_closed": gate is not None})
    if gate is not None:
        _let_sign_in(app, services, gate)
    return app


def _security(services: Services) -> dict[str, Any]:
    from fhir_bridge.smart import Addresses, security

    settings = services.settings
    return security(Addresses(settings.fhir_base, settings.pages_base), cross_origin=True)


def _let_sign_in(app: Flask, services: Services, gate: Gate) -> None:
    """The pages of sign-in, and the way there from every other page."""
    from fhir_bridge.sign_in import SignInServices, create_sign_in, with_query

    sign_in = SignInServices(
        gate=gate,
        store=services.store,
        registry=services.registry,
        rules=load_rules(services.artifacts),
        secret=services.secret,
        access_of=services.access_of,
        language=lambda request: page_language(request, services.settings.language),
    )
    app.register_blueprint(create_sign_in(sign_in))

    def first_sign_in() -> Response | None:
        is_page = request.path == "/" or request.path.startswith("/console/")
        if not is_page or request.path.startswith("/console/static/"):
            return None
        session = gate.session(request)
        if session is not None and session.whole:
            access = services.access_of(gate.caller_of(session))
            is_own = request.path == "/" and not access.is_everything
            return make_response(redirect("/sign-in/account", 303)) if is_own else None
        after = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return make_response(redirect(with_query("/sign-in", next=after), 303))

    app.before_request(first_sign_in)


def _process(services: Services) -> PipelineProcess:
    memory = services.settings.pipeline_memory
    return PipelineProcess(services.pipeline, services.store, memory=memory)


def _puller(feed: Feed, services: Services) -> Puller:
    data: Path = services.settings.data
    source = read_pull_source(feed.name, feed.listener.options, data)

    def append(*, feed: str, data: bytes, control_id: str, source: str, **_: str) -> bool:
        message = Message(feed, data, control_id, "application/json", source)
        return services.intake.append([message])[0].repeated

    return Puller(source, append, data / "pulls" / f"{feed.name}.json")


def _is_local(request: HttpRequest, host: str) -> bool:
    """Did the request come from this machine itself, and not through a proxy on it?

    The Host must be this machine's own name too: a page of the web can make a browser
    here ask this address under a name of its own (DNS rebinding).
    """
    if any(_is_of_proxy(name.lower()) for name in request.headers.keys()):  # noqa: SIM118
        return False
    named = urlsplit(f"//{request.host}").hostname
    if named not in (host, "localhost") and not _is_loopback(named):
        return False
    return _is_loopback(request.remote_addr)


def _is_of_proxy(header: str) -> bool:
    return header in {"forwarded", "via", "x-real-ip"} or header.startswith("x-forwarded-")


def _is_loopback(address: str | None) -> bool:
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False
