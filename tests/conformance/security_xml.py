"""XML attacks at every door that takes XML: entities, DTDs, expansion, encodings, narrative.

https://cheatsheetseries.owasp.org/cheatsheets/XML_External_Entity_Prevention_Cheat_Sheet.html

``cases.json`` names each file and what is expected.  Files whose names begin with ``cda`` or
``v2xml`` come in as a dropped document, all others as the body of a FHIR create.  Each runs in
a process of its own: at most 2 seconds and 64 MB more than before, no connection, no read of a
file while it is parsed, nothing of a file in the answer; "refused" means an
OperationOutcome with a status of 4xx at the API, and coded issues without a Bundle at ingest.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from fhir_bridge import cda, fhir, ingest
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.transform import Library
from tests.api.world import open_world
from tests.conformance.limits import Attempt, reads, within_limits
from tests.conformance.result import Result

_LEAKS = ("root:x:", "root:*:", "[fonts]", "ami-id")
_MOST_SECONDS, _MOST_MEGABYTES = 2.0, 64
_WARM = b'<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>'


def run(tree: Path) -> Iterator[Result]:
    """One result a case of ``cases.json``."""
    _knowledge()
    for case in json.loads((tree / "cases.json").read_text(encoding="utf-8"))["cases"]:
        data = (tree / case["file"]).read_bytes()
        is_document = case["file"].startswith(("cda", "v2xml"))
        attempt = within_limits(_dropped if is_document else _created, data)
        wrong = _judge(attempt, must_refuse="refused" in case["expect"])
        group = "ingest" if is_document else "api"
        yield Result(case["file"], "failed" if wrong else "passed", "; ".join(wrong), group)


def _judge(attempt: Attempt, *, must_refuse: bool) -> list[str]:
    """What is wrong with the attempt, if anything."""
    if attempt.answer is None:
        return [attempt.fault]
    status, text, parse_reads = attempt.answer
    wrong = [f"reached for {what}" for what in attempt.reached]
    wrong += [f"the answer holds {leak}" for leak in _LEAKS if leak in text]
    if parse_reads:
        wrong.append(f"{parse_reads} reads while parsing")
    if attempt.seconds > _MOST_SECONDS:
        wrong.append(f"took {attempt.seconds:.1f} s")
    if attempt.megabytes > _MOST_MEGABYTES:
        wrong.append(f"took {attempt.megabytes:.0f} MB")
    if status >= 500:
        wrong.append(f"status {status}")
    if must_refuse and not (400 <= status < 500 and "FB-" in text):
        wrong.append(f"not refused: {status} {text[:200]}")
    return wrong


def _created(data: bytes) -> tuple[int, str, int]:
    """(status, body, reads while parsing) of a create at the API."""
    parsing = _reads_of(fhir.parse_xml, _WARM, data)
    with tempfile.TemporaryDirectory() as folder:
        world = open_world(f"sqlite:///{folder}/record.sqlite3")
        try:
            answer = world.client().post(
                "/fhir/Patient", data=data, content_type="application/fhir+xml"
            )
            if answer.status_code < 300:
                answer = world.client().get(answer.headers["Location"])
            text = answer.get_data(as_text=True)
            if (
                answer.status_code >= 400
                and answer.get_json()["resourceType"] != "OperationOutcome"
            ):
                text = "no OperationOutcome"
            return answer.status_code, text, parsing
        finally:
            world.store.close()


def _dropped(data: bytes) -> tuple[int, str, int]:
    """(status of the leading issue, everything made of it, reads while parsing) at ingest."""
    feeds, library = _knowledge()
    parsing = _reads_of(cda.parse, b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>', data)
    try:
        converted = ingest.convert(data, feeds=feeds, library=library)
    except BridgeError as error:
        return error.entry.http_status, str(error), parsing
    text = json.dumps(converted.bundle, default=str) + " ".join(map(str, converted.issues))
    if converted.bundle is None:
        return converted.issues[0].entry.http_status, text, parsing
    return 200, text, parsing


def _reads_of(parse: Callable[[bytes], Any], warm: bytes, data: bytes) -> int:
    """Read calls during a parse, when everything that it needs has been loaded before."""
    for attempt in (warm, b"<", warm, data):
        before = reads()
        with contextlib.suppress(BridgeError):
            parse(attempt)
        made = reads() - before
    with contextlib.suppress(BridgeError):
        parse(warm)
    own = -reads() + reads()
    return made - own


@cache
def _knowledge() -> tuple[Any, Library]:
    artifacts = Artifacts()
    return ingest.load_feeds(artifacts), Library.from_artifacts(artifacts)
