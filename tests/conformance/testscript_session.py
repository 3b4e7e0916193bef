"""One run of a TestScript: fixtures, variables, operations and assertions.

https://hl7.org/fhir/R4/testscript.html#concept
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask.testing import FlaskClient

from fhir_bridge import fhir, fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.validation import Validator
from tests.conformance.testscript_tester import ENTERED, of_this_release, put_patient

__all__ = ["CannotRun", "Failed", "Session"]

_MIME = {"json": "application/fhir+json", "xml": "application/fhir+xml"}
_METHODS = {
    "create": "POST", "update": "PUT", "updateCreate": "PUT", "delete": "DELETE",
    "batch": "POST", "transaction": "POST", "patch": "PATCH",
}  # fmt: skip
_STATUS = {
    "okay": 200, "created": 201, "noContent": 204, "notModified": 304, "bad": 400,
    "forbidden": 403, "notFound": 404, "methodNotAllowed": 405, "conflict": 409, "gone": 410,
    "preconditionFailed": 412, "unprocessable": 422,
}  # fmt: skip
_PLACEHOLDER = re.compile(r"\$\{(C|D|CD)(\d{1,2})\}")
_VARIABLE = re.compile(r"\$\{([^}]+)\}")


class Failed(Exception):  # noqa: N818 - an assertion's outcome, not an error of ours
    """An assertion that counts did not hold."""


class CannotRun(Exception):  # noqa: N818 - as above
    """The script needs something that a machine alone cannot give."""


class Session:
    """Carries out one script; `folder` is where its fixtures are looked for."""

    def __init__(
        self, client: FlaskClient, validator: Validator, script: dict[str, Any], folder: Path
    ) -> None:
        self._client = client
        self._validator = validator
        self._script = script
        self._bodies: dict[str, bytes] = {}
        self._responses: dict[str, Any] = {}
        self._last: Any = None
        self._method = ""
        self._sent: dict[str, str] = {}
        self._data = b""
        for fixture in many(script, "fixture"):
            reference = one(one(fixture, "resource") or {}, "reference") or ""
            data = self._fixture(folder, reference).decode("utf-8")
            self._bodies[fixture["id"]] = _PLACEHOLDER.sub(_generated, data).encode()
        self._variables = {one(v, "name"): v for v in many(script, "variable")}
        if not self._bodies:
            self._preload(folder)
        if any(one(variable, "hint") in ENTERED for variable in many(script, "variable")):
            put_patient(client)

    def _fixture(self, folder: Path, reference: str) -> bytes:
        """A file beside the script, or a resource that the server is to hold beforehand."""
        path = folder / reference
        held = folder / "_reference" / "resources" / f"{reference.replace('/', '-').lower()}.json"
        if not path.is_file() and held.is_file():
            data = of_this_release(held.read_bytes())
            self._client.put(f"/fhir/{reference}", data=data, content_type=_MIME["json"])
            return data
        if not path.is_file():
            raise CannotRun(f"the fixture {reference} is not in the tree")
        return path.read_bytes()

    def _preload(self, folder: Path) -> None:
        """A script without fixtures expects that the server holds the examples beside it."""
        for place in (folder, *folder.parents[:3]):
            for held in (place / "_reference" / "resources", place / "fixtures"):
                if held.is_dir():
                    for file in sorted(held.rglob("*.[jx][sm]*")):
                        self._put_example(file)
                    return

    def _put_example(self, file: Path) -> None:
        data = file.read_bytes()
        try:
            is_xml = file.suffix == ".xml"
            resource = fhir.parse_xml(data) if is_xml else fhir.parse_json(of_this_release(data))
        except BridgeError:
            return  # of another release
        place = f"/fhir/{resource['resourceType']}/{resource.get('id', 'none')}"
        self._client.put(place, data=fhir.render_json(resource), content_type=_MIME["json"])

    def run(self) -> None:
        """Setup, tests, teardown; the first assertion that counts and fails ends it."""
        for part in ("setup", "test"):
            for block in many(self._script, part):
                for action in many(block, "action"):
                    self._act(action, one(block, "id") or part)

    def _act(self, action: dict[str, Any], where: str) -> None:
        operation, asserted = one(action, "operation"), one(action, "assert")
        if operation:
            self._operate(operation)
        if asserted:
            try:
                self._assert(asserted)
            except Failed as failed:
                if one(asserted, "warningOnly") not in (True, "true"):
                    raise Failed(f"{where}: {failed} ({one(asserted, 'description')})") from None

    # --- operations --------------------------------------------------------------------

    def _operate(self, operation: dict[str, Any]) -> None:
        code = one(one(operation, "type") or {}, "code") or "read"
        method = (one(operation, "method") or _METHODS.get(code, "GET")).upper()
        headers = {
            one(header, "field"): self._filled(one(header, "value") or "")
            for header in many(operation, "requestHeader")
        }
        accept = one(operation, "accept")
        if accept and accept != "none":
            headers["Accept"] = _MIME.get(accept, accept)
        data = None
        if method in ("POST", "PUT", "PATCH"):
            media = one(operation, "contentType") or "json"
            media = "json" if media == "none" else media
            headers["Content-Type"] = _MIME.get(media, media)
            data = self._body(one(operation, "sourceId") or "", media)
        request_id = one(operation, "requestId")
        if request_id and data is not None:
            self._bodies[request_id] = data
        self._method, self._sent, self._data = method, headers, data or b""
        url = self._url(operation, code)
        self._last = self._client.open(url, method=method, headers=headers, data=data)
        response_id = one(operation, "responseId")
        if response_id:
            self._responses[response_id] = self._last
            self._bodies[response_id] = self._last.data

    def _body(self, source_id: str, media: str) -> bytes:
        text = self._filled(self._bodies[source_id].decode("utf-8")).encode()
        is_xml = text.lstrip().startswith(b"<")
        if is_xml and "json" in media:
            return fhir.render_json(fhir.parse_xml(text))
        if not is_xml and "xml" in media:
            return fhir.render_xml(fhir.parse_json(text))
        return text

    def _url(self, operation: dict[str, Any], code: str) -> str:
        given = one(operation, "url")
        if given:
            return self._encoded(self._filled(given), operation)
        if one(operation, "pathFromRoot"):
            return self._filled(one(operation, "params") or "/")
        url = "/fhir"
        if code == "capabilities":
            url += "/metadata"
        elif one(operation, "resource"):
            url += f"/{one(operation, 'resource')}"
        elif code == "create":
            url += f"/{self._resource(one(operation, 'sourceId'))['resourceType']}"
        target = one(operation, "targetId")
        if target:
            resource = self._resource(target)
            url = f"/fhir/{resource['resourceType']}/{resource['id']}"
            if code == "vread":
                url += f"/_history/{resource['meta']['versionId']}"
            if code == "history":
                url += "/_history"
        return self._encoded(url + self._filled(one(operation, "params") or ""), operation)

    @staticmethod
    def _encoded(url: str, operation: dict[str, Any]) -> str:
        if one(operation, "encodeRequestUrl") in (False, "false"):
            return url
        return quote(url, safe="/?&=$:,|%+.~*'()[]@!;#")

    # --- variables and sources ---------------------------------------------------------

    def _filled(self, text: str) -> str:
        return _VARIABLE.sub(lambda match: self._variable(match[1]), text)

    def _variable(self, name: str) -> str:
        variable = self._variables.get(name, {})
        source = one(variable, "sourceId")
        if source and source in self._bodies:
            header = one(variable, "headerField")
            if header:
                return str(self._responses[source].headers.get(header, ""))
            found = self._values(source, variable)
            if found:
                return str(found[0])
        default = one(variable, "defaultValue")
        if default is None:
            default = ENTERED.get(str(one(variable, "hint")))
        if default is None:
            raise CannotRun(f"the variable {name} is to be entered by a person")
        return str(default)

    def _values(self, source: str | None, chooser: dict[str, Any], prefix: str = "") -> list[Any]:
        """What ``path`` or ``expression`` finds in a fixture, a response, or the last one."""
        resource = self._resource(source)
        expression = one(chooser, f"{prefix}{'E' if prefix else 'e'}xpression")
        path = one(chooser, f"{prefix}{'P' if prefix else 'p'}ath")
        if expression:
            compiled = fhirpath.compile(self._filled(expression), definitions=fhir.definitions())
            return compiled(resource)
        return list(_follow(resource, self._filled(path or "")))

    def _resource(self, source: str | None) -> dict[str, Any]:
        return self._parsed(self._bodies[source] if source else self._last.data)

    def _parsed(self, data: bytes) -> dict[str, Any]:
        if not data.strip():
            return {}
        try:
            return fhir.parse_xml(data) if data.lstrip()[:1] == b"<" else fhir.parse_json(data)
        except BridgeError as error:
            raise Failed(f"the body cannot be read: {error}") from None

    # --- assertions --------------------------------------------------------------------

    def _assert(self, asserted: dict[str, Any]) -> None:
        if one(asserted, "rule") or one(asserted, "ruleset"):
            return  # rules are executable files of one vendor
        operator = one(asserted, "operator") or "equals"
        expected = one(asserted, "value")
        if one(asserted, "response"):
            _require(
                self._last.status_code == _STATUS[one(asserted, "response")],
                f"status {self._seen()}",
            )
        elif one(asserted, "responseCode"):
            status = str(self._last.status_code)
            _compare(operator, [status], one(asserted, "responseCode"), f"status {self._seen()}")
        elif one(asserted, "contentType"):
            wanted = one(asserted, "contentType")
            found = self._headers(asserted).get("Content-Type", "")
            _require(_MIME.get(wanted, wanted) in found, f"Content-Type {found}")
        elif one(asserted, "headerField"):
            found = self._headers(asserted).get(one(asserted, "headerField"))
            _compare(operator, [found] if found else [], self._filled(expected or ""), "header")
        elif one(asserted, "requestMethod"):
            _require(self._method == one(asserted, "requestMethod").upper(), self._method)
        elif one(asserted, "responseBody"):
            _require(re.search(one(asserted, "responseBody"), self._last.text) is not None, "body")
        elif one(asserted, "resource"):
            found = self._parsed(self._spoken_of(asserted)).get("resourceType")
            _compare(operator, [found], one(asserted, "resource"), f"resource {found}")
        elif one(asserted, "minimumId"):
            least = self._resource(one(asserted, "minimumId"))
            held = self._resource(one(asserted, "sourceId"))
            is_page = held.get("resourceType") == "Bundle" != least.get("resourceType")
            places = [e.get("resource") for e in held.get("entry", ())] if is_page else [held]
            lacking = [_lacking(least, place, "") for place in places] or ["every entry"]
            _require("" in lacking, f"lacks {lacking[:2]}")
        elif one(asserted, "validateProfileId"):
            issues = self._validator.check(self._parsed(self._spoken_of(asserted)))
            errors = [str(issue) for issue in issues if issue.severity in ("error", "fatal")]
            _require(not errors, f"invalid: {errors[:2]}")
        else:
            self._assert_values(asserted, operator, expected)

    def _assert_values(self, asserted: dict[str, Any], operator: str, expected: Any) -> None:
        other = one(asserted, "compareToSourceId")
        has_own = one(asserted, "expression") or one(asserted, "path")
        prefix = "compareToSource" if other and not has_own else ""
        found = self._values(one(asserted, "sourceId"), asserted, prefix)
        if other:
            wanted = self._values(other, asserted, "compareToSource")
            _require([str(v) for v in found] == [str(v) for v in wanted], f"{found} {wanted}")
        elif expected is None and operator == "equals":
            _require(found == [True], f"{one(asserted, 'expression')} is {found}")
        else:
            text = self._filled(str(expected if expected is not None else ""))
            _compare(
                operator, found, text, str(one(asserted, "path") or one(asserted, "expression"))
            )

    def _spoken_of(self, asserted: dict[str, Any]) -> bytes:
        """The body that an assertion is about: a source, the request or the last response."""
        source = one(asserted, "sourceId")
        if source:
            return self._bodies[source]
        is_request = one(asserted, "direction") == "request"
        data: bytes = self._data if is_request else self._last.data
        return data

    def _headers(self, asserted: dict[str, Any]) -> Any:
        """Those of the request or of the response, as the assertion's direction says."""
        is_request = one(asserted, "direction") == "request"
        return self._sent if is_request else self._last.headers

    def _seen(self) -> str:
        return f"{self._last.status_code} {self._last.text[:200]}"


def _generated(match: re.Match[str]) -> str:
    """The connectathon's placeholders: as many letters (C), digits (D) or both (CD)."""
    letters = {"C": "abcdefghij", "D": "1234567890", "CD": "a1b2c3d4e5"}[match[1]]
    return (letters * 10)[: int(match[2])]


def one(node: dict[str, Any], name: str) -> Any:
    """The first value of an element."""
    value = node.get(name)
    return (value[0] if value else None) if isinstance(value, list) else value


def many(node: dict[str, Any], name: str) -> list[Any]:
    """All values of an element."""
    value = node.get(name, [])
    return value if isinstance(value, list) else [value]


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Failed(what)


def _compare(operator: str, found: list[Any], expected: str, what: str) -> None:
    texts = [json.dumps(v) if isinstance(v, bool) else str(v) for v in found]
    first = texts[0] if texts else ""
    choices = [choice.strip() for choice in expected.split(",")]
    holds = {
        "equals": first == expected,
        "notEquals": first != expected,
        "in": first in choices,
        "notIn": first not in choices,
        "empty": not texts,
        "notEmpty": bool(texts),
        "contains": any(expected in text for text in texts),
        "notContains": not any(expected in text for text in texts),
        "greaterThan": bool(texts) and _number(first) > _number(expected),
        "lessThan": bool(texts) and _number(first) < _number(expected),
        "matchesRegex": re.search(expected, first) is not None,
        "matchesMimeClass": first.startswith(expected.rstrip("*")),
    }
    if operator not in holds:
        raise CannotRun(f"the operator {operator} is not of the specification")
    _require(holds[operator], f"{what}: {texts} {operator} {expected}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _follow(resource: dict[str, Any], path: str) -> Iterator[Any]:
    """What an XPath (counted from 1) or JSONPath (from 0, after a dot) of the scripts finds."""
    is_json = not re.search(r"/", path)
    steps = re.split(r"\.(?![^\[]*\])", path.lstrip(".$")) if is_json else _xpath_steps(path)
    nodes: list[Any] = [resource]
    kind = resource.get("resourceType")
    if steps and steps[0][:1].isupper():
        if steps[0] != kind:
            nodes = [e["resource"] for e in resource.get("entry", ()) if "resource" in e]
            nodes = [node for node in nodes if node.get("resourceType") == steps[0]]
        steps = steps[1:]
    for position, step in enumerate(steps):
        following = steps[position + 1] if position + 1 < len(steps) else ""
        nodes = _take(nodes, step, following, 0 if is_json else 1)
    yield from nodes


def _xpath_steps(path: str) -> list[str]:
    plain = re.sub(r"\b(?:fhir|f):", "", path).removesuffix("/@value")
    return [step for step in re.split(r"/(?![^\[]*\])", plain) if step]


def _take(nodes: list[Any], step: str, following: str, base: int) -> list[Any]:
    name, _, choice = step.partition("[")
    if name[:1].isupper():
        return [node for node in nodes if node.get("resourceType") == name]
    if following.startswith("extension") and name != "extension":
        name = f"_{name}" if any(f"_{name}" in node for node in nodes) else name
    found = [
        item
        for node in nodes
        if isinstance(node, dict)
        for value in [node.get(name)]
        if value is not None
        for item in (value if isinstance(value, list) else [value])
    ]
    choice = choice.rstrip("]")
    if choice.isdigit():
        return found[int(choice) - base : int(choice) - base + 1]
    url = re.fullmatch(r"@url\s*=\s*'([^']*)'", choice)
    return [item for item in found if item.get("url") == url[1]] if url else found


def _lacking(least: Any, found: Any, place: str) -> str:
    """The first place where `found` does not hold what `least` holds."""
    if isinstance(least, dict):
        for key, value in least.items():
            if key in ("text", "meta", "id"):
                continue
            lacking = _lacking(
                value, found.get(key) if isinstance(found, dict) else None, f"{place}.{key}"
            )
            if lacking:
                return lacking
        return ""
    if isinstance(least, list):
        held = found if isinstance(found, list) else []
        for value in least:
            if all(_lacking(value, item, place) for item in held):
                return place or "a value"
        return ""
    return "" if least == found else place
