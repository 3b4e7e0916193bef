"""AuditEvents by IHE's Basic Audit Log Patterns: published examples, and copies that are damaged.

`tree`/**/cases.ndjson holds one case a line; beside it lie the examples and the profiles.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.damaged import Profiled
from tests.conformance.result import Result


def run(tree: Path) -> Iterator[Result]:
    """One result per case: is our verdict the published one?"""
    for cases in sorted(tree.rglob("cases.ndjson")):
        profiled = Profiled(cases.parent)
        for line in cases.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            errors = profiled.errors(case)
            found = "invalid" if errors else "valid"
            note = "" if found == case["expect"] else f"ours: {[str(each) for each in errors[:4]]}"
            yield Result(case["id"], "failed" if note else "passed", note, case["expect"])
