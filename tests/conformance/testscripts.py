"""FHIR TestScript resources run against the API in this process.

https://hl7.org/fhir/R4/testscript.html; the connectathon scripts are of STU3 and are read by
the same rules.  Each script gets an empty record of its own.  A case is a script: it passes
when no assertion that counts fails (those marked ``warningOnly`` do not).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhir_bridge import xml
from tests.api.world import open_world
from tests.conformance.result import Result, exclusions
from tests.conformance.testscript_session import CannotRun, Failed, Session

_SUPPORT = ("_reference", "fixtures")


def run(tree: Path) -> Iterator[Result]:
    """Every TestScript below `tree`."""
    known = exclusions("testscripts")
    for file in sorted(tree.rglob("*")):
        if file.suffix not in (".json", ".xml") or any(part in _SUPPORT for part in file.parts):
            continue
        script = read_script(file)
        if script is None:
            continue
        case_id = file.relative_to(tree).as_posix()
        group = case_id.split("/")[0]
        if case_id in known:
            yield Result(case_id, "skipped", known[case_id], group)
            continue
        yield _attempt(script, file, case_id, group)


def _attempt(script: dict[str, Any], file: Path, case_id: str, group: str) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        world = open_world(f"sqlite:///{folder}/record.sqlite3")
        try:
            Session(world.client("shape"), world.validator, script, file.parent).run()
        except Failed as failed:
            return Result(case_id, "failed", str(failed), group)
        except CannotRun as reason:
            return Result(case_id, "skipped", f"will-not: {reason}", group)
        finally:
            world.store.close()
    return Result(case_id, "passed", "", group)


def read_script(file: Path) -> dict[str, Any] | None:
    """A TestScript as plain values, every element of the XML form being a list."""
    if file.suffix == ".json":
        script = json.loads(file.read_text(encoding="utf-8"))
        return script if script.get("resourceType") == "TestScript" else None
    root = xml.parse(file.read_bytes())
    if not root.tag.endswith("}TestScript"):
        return None
    found = _from_xml(root)
    return found if isinstance(found, dict) else None


def _from_xml(element: Any) -> Any:
    if "value" in element.attrib and not len(element):
        return element.get("value")
    node: dict[str, Any] = {"id": element.get("id")} if element.get("id") else {}
    for child in element:
        node.setdefault(child.tag.rpartition("}")[2], []).append(_from_xml(child))
    return node
