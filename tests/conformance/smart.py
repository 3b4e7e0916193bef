"""SMART App Launch, backend services and certification checks, as exchanges with a running site.

The trees are Inferno's and the Bulk Data Tester's lists (``smart-app-launch.ndjson``,
``smart-bdt.ndjson``, ``g10-all.ndjson``); a check is known by its title, since one check stands in many
groups.  Those of the certification that are not about authorization are left out.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.result import Result, exclusions
from tests.conformance.security import judge
from tests.smart import cases_smart
from tests.smart.cases import CASES
from tests.smart.site import Site, fill, running

_FILES = ("smart-app-launch", "smart-bdt", "g10-all")
_OTHERS = {
    "secured by transport layer security": "TLS ends at the proxy before the service",
    "Brand resources": "brands are published by the one who operates a site",
    "SMART Access Brands": "brands are published by the one who operates a site",
    "All Endpoint resource referenced URLS": "brands are published by the one who operates a site",
    "smart_style_url": "no style is offered",
}
_OF_EXPORT = "the service has no bulk export"


def run(tree: Path) -> Iterator[Result]:
    """One result a check."""
    assert cases_smart
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as site:
        fill(site)
        excluded, done = exclusions("smart"), dict[str, Result]()
        for name in _FILES:
            path = tree / f"{name}.ndjson"
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            for line in lines:
                check = json.loads(line)
                title, check_id = str(check["title"]), f"{name}/{check['id']}"
                if name == "g10-all" and title not in CASES:
                    continue
                if title not in done:
                    done[title] = _result(title, site, name)
                first = done[title]
                note = excluded.get(check_id, first.note)
                outcome = "skipped" if check_id in excluded else first.outcome
                yield Result(check_id, outcome, note, name)


def _result(title: str, site: Site, name: str) -> Result:
    for words, reason in _OTHERS.items():
        if words in title:
            return Result(title, "skipped", reason, name)
    case = CASES.get(title)
    if case is None and name == "smart-bdt":
        return Result(title, "skipped", _OF_EXPORT, name)
    return judge(title, case, site, name)
