"""Every setting once, and the only reader of the environment.

A setting is a field of :class:`Settings`; its environment variable is ``FHIR_BRIDGE_``
plus its name in capitals.  ``docs/settings.md`` is printed from :data:`SETTINGS`.
"""

from __future__ import annotations

import math
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta, timezone, tzinfo
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fhir_bridge.budget import Bounds
from fhir_bridge.errors import BridgeError
from fhir_bridge.lane import Turn

__all__ = ["SETTINGS", "Setting", "Settings", "load_settings", "site_secret"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name, what it is for, its default as text, and what makes it a value."""

    name: str
    purpose: str
    default: str
    convert: Callable[[str], Any] = str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"FHIR_BRIDGE_{self.name.upper()}"


def _one_of(*choices: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return text

    return convert


def _access(text: str) -> str:
    if text == "local":
        raise ValueError("local is called open now, and closed lets people sign in")
    return _one_of("closed", "open")(text)


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError("expected a number above zero")
    return number


def _natural(text: str) -> int:
    if (number := int(text)) < 0:
        raise ValueError("expected zero or a number above it")
    return number


def _positive_or_auto(text: str) -> int:
    """A number above zero, or ``auto``, which is 0."""
    return 0 if text == "auto" else _positive(text)


def _six_or_more(text: str) -> int:
    if (number := int(text)) < 6:
        raise ValueError("expected 6 or more")
    return number


def _flag(text: str) -> bool:
    return _one_of("true", "false")(text) == "true"


def _paths(text: str) -> tuple[Path, ...]:
    return tuple(Path(part).resolve() for part in text.split(os.pathsep) if part)


def _path(text: str) -> Path:
    return Path(text).resolve()


def _zone(text: str) -> tzinfo:
    """A zone written as an offset (+08:00) or by its name (Asia/Shanghai)."""
    if _OFFSET.fullmatch(text):
        sign = -1 if text[0] == "-" else 1
        return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[4:])))
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("expected an offset such as +08:00 or the name of a zone") from None


def _origins(text: str) -> tuple[str, ...]:
    """Origins of the web: https://app.example, with a port where it is not the usual one."""
    origins = tuple(text.replace(",", " ").split())
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError("expected origins such as https://app.example, without a path")
    return origins


_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d")

SETTINGS: tuple[Setting, ...] = (
    Setting("data", "folder of the embedded database, the inboxes and the site secret", "var", _path),
    Setting("database", "where the record lives: sqlite:///FILE or postgresql+psycopg://…; empty for a file in the data folder", ""),
    Setting("overlay", "folders with a site's own mappings/ and profiles/, last one wins, separated as in PATH", "", _paths),
    Setting("host", "address the HTTP server binds to", "127.0.0.1"),
    Setting("port", "port of the HTTP server", "8080", int),
    Setting("listen", "address the feeds' listeners bind to", "127.0.0.1"),
    Setting("base_url", "public base of the FHIR service, without a slash at the end; empty for http://HOST:PORT/fhir", ""),
    Setting("workers", "processes that answer HTTP requests; auto: sized from the machine and the database", "auto", _positive_or_auto),
    Setting("threads", "threads of each of them", "8", _positive),
    Setting("http_connections", "most HTTP connections of each of them at one time; beyond it the one that has waited longest gives way", "1000", _positive),
    Setting("http_connections_per_address", "most of them from one address (the proxy's, behind a proxy)", "250", _positive),
    Setting("http_head_seconds", "longest from the first byte of a request to the end of its head", "20", _positive),
    Setting("http_answer_seconds", "longest that a client may take nothing of its answer", "60", _positive),
    Setting("language", "language of the pages when the browser names none", "zh-CN", _one_of("zh-CN", "en")),
    Setting("zone", "zone of dates in the record that name none; the index must be made anew (reindex) after a change", "+08:00", _zone),
    Setting("access", "who may read: closed (whoever signs in, and apps with a token) or open (every program of this machine, nobody else)", "open", _access),
    Setting("audit_years", "years for which it is kept who looked at the record; 6 at least", "6", _six_or_more),
    Setting("after_agreement", "what a resident sees when no agreement is in force any more: nothing, agreements (their own) or recorded (what was recorded until the end)", "agreements", _one_of("nothing", "agreements", "recorded")),
    Setting("guardian_age", "age at which guardians see a child's record no longer", "14", _natural),
    Setting("referral_days", "days after the end of a referral for which the receiving hospital still sees the patient", "30", _natural),
    Setting("metrics", "who may read /metrics: local (this machine only) or open (whoever reaches the port)", "local", _one_of("local", "open")),
    Setting("cors_origins", "origins whose pages may use the API from a browser, separated by blanks or commas; empty for none", "", _origins),
    Setting("secret", "key of paging links and forms; empty for one kept in the data folder", ""),
    Setting("log_level", "least level that is logged", "INFO", _one_of("DEBUG", "INFO", "WARNING", "ERROR")),
    Setting("models_check", "when fhir.resources gives a second opinion on a mapped resource: first (the first of each type), all or off", "first", _one_of("first", "all", "off")),
    Setting("validation", "what a write over REST must pass: full (all rules and the profiles it claims) or shape (readable as FHIR)", "full", _one_of("full", "shape")),
    Setting("referential_integrity", "refuse a reference inside a transaction that leads nowhere", "true", _flag),
    Setting("conditional_delete", "what a delete by condition may find: single (one match, else 412) or multiple", "single", _one_of("single", "multiple")),
    Setting("require_if_match", "refuse an update that does not name in If-Match the version it changes", "false", _flag),
    Setting("max_request_bytes", "largest HTTP request body", "33554432", _positive),
    Setting("max_bundle_entries", "most entries of a batch or transaction", "10000", _positive),
    Setting("max_page", "most matches on one search page", "1000", _positive),
    Setting("max_query_seconds", "longest that one query of a request may take", "30", _positive),
    Setting("pipeline_workers", "processes beside the service that work through the journal: 1, or 0 for a thread of the service itself", "1", lambda text: int(_one_of("0", "1")(text))),
    Setting("pipeline_memory", "most MiB that such a process may take; 0 for any number", "2048", _natural),
    Setting("max_request_seconds", "longest that one request may take, all its parts together", "120", _positive),
    Setting("evaluation_steps", "most steps of one evaluation of a client's text: a FHIRPath expression, a map, a patch", "200000", _positive),
    Setting("evaluation_bytes", "most bytes of texts and collections that one evaluation may build", "134217728", _positive),
    Setting("evaluation_seconds", "longest that one evaluation may take of the processor", "2", _positive),
    Setting("long_evaluations", "most evaluations beyond 0.05 s of the processor that each process works on at one time; together they get a third of it, and the next is answered 503", "2", _positive),
    Setting("stop_seconds", "longest that stopping may take; what is not finished by then is done again at the next start", "20", _positive),
    Setting("batch", "most messages the pipeline records in one commit", "200", _positive),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of :data:`SETTINGS`, converted and checked."""

    data: Path
    database: str
    overlay: tuple[Path, ...]
    host: str
    port: int
    listen: str
    base_url: str
    workers: int
    threads: int
    http_connections: int
    http_connections_per_address: int
    http_head_seconds: int
    http_answer_seconds: int
    language: str
    zone: tzinfo
    access: str
    audit_years: int
    after_agreement: Literal["nothing", "agreements", "recorded"]
    guardian_age: int
    referral_days: int
    metrics: str
    cors_origins: tuple[str, ...]
    secret: str
    log_level: str
    models_check: str
    validation: Literal["full", "shape"]
    referential_integrity: bool
    conditional_delete: Literal["single", "multiple"]
    require_if_match: bool
    max_request_bytes: int
    max_bundle_entries: int
    max_page: int
    max_query_seconds: int
    pipeline_workers: Literal[0, 1]
    pipeline_memory: int
    max_request_seconds: int
    evaluation_steps: int
    evaluation_bytes: int
    evaluation_seconds: int
    long_evaluations: int
    stop_seconds: int
    batch: int

    @property
    def database_url(self) -> str:
        """The database to open, the embedded one where none is named."""
        return self.database or f"sqlite:///{self.data / 'record.sqlite3'}"

    def bounds(self, deadline: float = math.inf, turn: Turn | None = None) -> Bounds:
        """What an evaluation may cost in a request that ends at `deadline` (monotonic)."""
        steps, size, seconds = (
            self.evaluation_steps,
            self.evaluation_bytes,
            self.evaluation_seconds,
        )
        return Bounds(steps, size, seconds, deadline, turn)

    @property
    def fhir_base(self) -> str:
        """The FHIR service base URL (https://hl7.org/fhir/R4/http.html#general)."""
        return self.base_url or f"http://{self.host}:{self.port}/fhir"

    @property
    def pages_base(self) -> str:
        """Where the pages are: beside the FHIR service, one step above its base."""
        return self.fhir_base.rpartition("/")[0]


def load_settings(environment: Mapping[str, str] | None = None, /, **chosen: Any) -> Settings:
    """Settings from `environment` (default: the process's), with `chosen` over them.

    Raises BridgeError FB-9002 for a value that cannot be used and for an unknown
    ``FHIR_BRIDGE_…`` variable (a misspelt setting must not be ignored).
    """
    environment = os.environ if environment is None else environment
    _refuse_unknown(environment)
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        if chosen.get(setting.name) is not None:
            values[setting.name] = chosen[setting.name]
            continue
        text = environment.get(setting.variable, setting.default)
        try:
            values[setting.name] = setting.convert(text)
        except ValueError as error:
            raise BridgeError("FB-9002", setting=setting.variable, reason=error) from None
    if values["access"] == "open" and not _is_loopback(values["host"]):
        reason = f"open is for this machine only; on the address {values['host']} use closed"
        raise BridgeError("FB-9002", setting="FHIR_BRIDGE_ACCESS", reason=reason)
    return Settings(**values)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def site_secret(settings: Settings) -> bytes:
    """The key of paging links and forms: the one that is set, else one kept in the data folder.

    The file appears whole or not at all, so that processes that start together share one.
    Raises BridgeError FB-9002 when it is empty: with that key anybody could sign.
    """
    if settings.secret:
        return settings.secret.encode()
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.data / "secret"
    if not path.exists():
        _make_secret(path)
    kept = path.read_bytes().strip()
    if not kept:
        reason = "the file secret of the data folder is empty; remove it to have one made"
        raise BridgeError("FB-9002", setting="FHIR_BRIDGE_SECRET", reason=reason)
    return kept


def _make_secret(path: Path) -> None:
    """Write a random key beside `path` and link it there; the first process wins."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        pass  # another process was first; its key is the site's
    except OSError:  # a file system without links
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {setting.variable for setting in SETTINGS}
    for name in environment:
        if name.startswith("FHIR_BRIDGE_") and name not in known and not _of_tests(name):
            raise BridgeError("FB-9002", setting=name, reason="there is no such setting")


def _of_tests(name: str) -> bool:
    """Variables of the test suite share the prefix and are not the product's."""
    return name == "FHIR_BRIDGE_SHARED" or name.startswith("FHIR_BRIDGE_TEST_")


assert [field.name for field in fields(Settings)] == [setting.name for setting in SETTINGS]  # noqa: S101 - one list, two shapes
