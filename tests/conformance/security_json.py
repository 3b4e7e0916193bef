"""The JSON torture set (JSONTestSuite): what must be read, what must be refused.

https://github.com/nst/JSONTestSuite, RFC 8259.  ``test_parsing``: ``y_`` must be read, and as
the values that it says, ``n_`` refused, ``i_`` is up to the reader; ``test_transform``: up to
the reader.  Refused means BridgeError FB-1001 or FB-1002; nothing may take longer than 2
seconds or end in another way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import parse_json_value, render_json
from tests.conformance.limits import within_limits
from tests.conformance.result import Result, exclusions

_MOST_SECONDS = 2.0


def run(tree: Path) -> Iterator[Result]:
    """One result a file, the whole tree in one process of its own."""
    files = [
        path
        for folder in ("test_parsing", "test_transform")
        for path in sorted((tree / folder).glob("*.json"))
    ]
    attempt = within_limits(_results, files, seconds=_MOST_SECONDS * len(files))
    yield from attempt.answer or [Result("process", "failed", attempt.fault)]


def _results(files: list[Path]) -> list[Result]:
    return [_result(path) for path in files]


def _result(path: Path) -> Result:
    expected = path.name[:2] if path.parent.name == "test_parsing" else "i_"
    data = path.read_bytes()
    try:
        value = parse_json_value(data)
    except BridgeError as error:
        known = error.code in {"FB-1001", "FB-1002"}
        excluded = exclusions("security-json").get(path.name)
        if known and expected == "y_" and excluded:
            return Result(path.name, "skipped", excluded, path.parent.name)
        wrong = "" if known and expected != "y_" else f"refused: {error}"
    except Exception as error:  # whatever else escapes is a fault of the reader
        wrong = f"{type(error).__name__}: {error}"[:200]
    else:
        wrong = _wrong_value(value, data, expected)
    return Result(path.name, "failed" if wrong else "passed", wrong, path.parent.name)


def _wrong_value(value: Any, data: bytes, expected: str) -> str:
    """What is wrong with a value that was read."""
    if expected == "n_":
        return f"read as {value!r}"[:200]
    if expected == "y_" and value != json.loads(data, parse_float=Decimal):
        return f"read as {value!r}"[:200]
    again = parse_json_value(render_json(value))
    return "" if again == value else f"rendered and read as {again!r}"[:200]
