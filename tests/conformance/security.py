"""Public security checks of OAuth, OpenID Connect, signed tokens and FHIR, and the JOSE vectors.

``security/checks/*.ndjson`` say in words what to do and to expect; each has a case in
``tests/smart/cases_*.py`` that does it as HTTP exchanges with a running site.  A check without a case
is skipped with that reason.  Beside the checks lie the vectors of Project Wycheproof
(https://github.com/C2SP/wycheproof): of signatures by algorithms that are taken, every valid one
must be taken and every other one refused.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhir_bridge.smart.jose import InvalidTokenError, verified_payload
from tests.conformance.result import Result, exclusions
from tests.smart import cases_fhir, cases_jwt, cases_oauth, cases_openid
from tests.smart.cases import CASES, Case
from tests.smart.site import Site, fill, forget_tries, running

_FILES = ("oauth", "oidc-op", "jwt", "fhir")
_MODULES = (cases_oauth, cases_openid, cases_jwt, cases_fhir)
_TAKEN = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")


_OTHERS = {
    "F-27": "the service has no bulk export, so there are no files of it",
    "F-34": "labels and breaking the glass are judged by the suite consent",
    "F-52": "the service takes no packages",
    "F-59": "the service has no SQL extracts",
    "F-63": "fields of messages are tried by the fuzz targets and tests/listeners",
    "F-64": "senders are let in, and TLS is made, by the network before the listener",
}
"""Checks of what the service does not have, or what is judged elsewhere."""


def run(tree: Path) -> Iterator[Result]:
    """One result a check, one a vector."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as site:
        fill(site)
        excluded = exclusions("security")
        for name in _FILES:
            path = tree / f"{name}.ndjson"
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            for line in lines:
                check_id = str(json.loads(line)["id"])
                yield _result(check_id, excluded, site, name)
    yield from vectors(tree.parent / "wycheproof")


def _result(check_id: str, excluded: dict[str, str], site: Site, group: str) -> Result:
    if check_id in excluded:
        return Result(check_id, "skipped", excluded[check_id], group)
    if check_id in _OTHERS:
        return Result(check_id, "skipped", _OTHERS[check_id], group)
    return judge(check_id, CASES.get(check_id), site, group)


def judge(check_id: str, case: Case | None, site: Site, group: str) -> Result:
    """One check by its case; what it fails by is its note."""
    if case is None:
        return Result(check_id, "skipped", "there is no case for it", group)
    try:
        case(site)
    except Exception as error:
        return Result(check_id, "failed", f"{type(error).__name__}: {error}"[:300], group)
    finally:
        forget_tries(site)
    return Result(check_id, "passed", "", group)


def vectors(folder: Path) -> Iterator[Result]:
    """One result a vector of Project Wycheproof."""
    for path in sorted(folder.glob("json_web_*.json")):
        yield from _vectors(path)


def _vectors(path: Path) -> Iterator[Result]:
    found = json.loads(path.read_text(encoding="utf-8"))
    for group in found["testGroups"]:
        keys = _keys(group)
        for test in group["tests"]:
            yield _vector(path.stem, keys, test)


def _keys(group: dict[str, Any]) -> list[dict[str, Any]]:
    key = group.get("public") or group.get("private") or {}
    listed = key.get("keys", [key]) if isinstance(key, dict) else []
    return [each for each in listed if isinstance(each, dict)]


def _vector(name: str, keys: list[dict[str, Any]], test: dict[str, Any]) -> Result:
    case_id = f"{name}/{test['tcId']}"
    token = test.get("jws") or test.get("jwe") or ""
    taken = isinstance(token, str) and _is_taken(token, keys)
    if test["result"] != "valid":
        outcome = "failed" if taken else "passed"
        return Result(case_id, outcome, "taken" if taken else "", "wycheproof")
    if taken:
        return Result(case_id, "passed", "", "wycheproof")
    reason = _not_taken(token, keys)
    return Result(case_id, "skipped" if reason else "failed", reason or "refused", "wycheproof")


def _is_taken(token: str, keys: list[dict[str, Any]]) -> bool:
    try:
        verified_payload(token, keys, _TAKEN)
    except InvalidTokenError:
        return False
    return True


def _not_taken(token: Any, keys: list[dict[str, Any]]) -> str:
    """Why a valid vector is none of ours; "" when it is."""
    if not isinstance(token, str) or token.count(".") != 2:
        return "encrypted tokens and JSON serialisation are not taken"
    if any(key.get("kty") == "oct" for key in keys):
        return "shared secrets are not taken"
    if any(key.get("alg", "RS256") not in _TAKEN for key in keys):
        return "the key is for no algorithm that is taken"
    if any(set(part) - _ALPHABET for part in token.split(".")):
        return "base64url is taken in its one form only"
    header = token.split(".")[0]
    said = {key.get("alg") for key in keys if key.get("alg")}
    return "the key is for another algorithm" if said and header else ""


_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
