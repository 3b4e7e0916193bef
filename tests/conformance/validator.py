"""The public validator cases: is our verdict (valid or not) the published one?

Judged are all cases that need nothing beyond the tree (those whose Questionnaire must be
found beside them too); others are skipped with their needs as the reason, and judged as well
with ``--all``.  A case with a profile is judged twice, as published: by R4 alone and by the
profile.  The options of a case are the options of the publisher's command.

A verdict agrees when both say valid or both say invalid.  Where we cannot read the file,
that is an agreement only when the publisher could not read it either.  How often an agreed
refusal names a published place, or one that it encloses, is a figure of its own.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from fhir_bridge.conformance import Profiles
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir import Resource, definitions, parse_json, parse_xml
from fhir_bridge.validation import Strictness, Validator
from tests.conformance import result
from tests.conformance.result import Result, exclusions
from tests.conformance.validator_places import is_of_reading, shares_place

_BESIDE = frozenset({"standalone-fetcher"})
"""Needs that the tree itself meets: the Questionnaire of a response lies beside it."""


class _Verdict(NamedTuple):
    """One judgement: what was published, what is ours."""

    module: str
    published: list[dict[str, Any]]
    issues: list[Issue]
    unread: bool
    wanted: bool

    @property
    def errors(self) -> list[Issue]:
        return [issue for issue in self.issues if issue.severity in ("fatal", "error")]

    @property
    def agrees(self) -> bool:
        if self.unread:
            return not self.wanted and any(is_of_reading(item) for item in self.published)
        return (not self.errors) == self.wanted

    @property
    def shares_place(self) -> bool:
        return self.unread or any(
            shares_place(issue.where, str(item.get("expression")))
            for issue in self.errors
            for item in self.published
        )

    @property
    def cause(self) -> str:
        """What a failure is about: the module of the case and the kinds of the published errors."""
        if self.wanted:
            codes = Counter(issue.code for issue in self.errors)
            return f"good, refused: {self.module}: {', '.join(sorted(codes))}"
        kinds = sorted({str(item.get("code", "unknown")) for item in self.published})
        how = "unreadable to us" if self.unread else "bad, accepted"
        return f"{how}: {self.module}: {', '.join(kinds)}"

    def note(self) -> str:
        wanted = [
            f"{item.get('code')} {item.get('expression')}: {item.get('text')}"
            for item in self.published
        ]
        ours = [str(issue) for issue in self.errors]
        return f"expected valid={self.wanted}; ours: {ours[:4]}; published: {wanted[:3]}"


def run(tree: Path) -> Iterator[Result]:
    """One result per judgement of the cases in `tree`/cases.json; then the figures are printed."""
    listed = json.loads((tree / "cases.json").read_text(encoding="utf-8"))["cases"]
    excluded = exclusions("validator")
    verdicts: list[_Verdict] = []
    for case in listed:
        for name, expected in _judgements(case):
            needs = set(case["requires"]) - _BESIDE
            if name in excluded:
                yield Result(name, "skipped", excluded[name], case["tier"])
                continue
            if needs and not result.is_judging_all():
                yield Result(name, "skipped", f"needs {', '.join(sorted(needs))}", case["tier"])
                continue
            issues, unread = _judged(tree / "input", case, expected)
            published = expected.get("expect")
            if published is None:
                yield Result(name, "skipped", "no verdict is published", case["tier"])
                continue
            verdict = _Verdict(
                str(case.get("module")),
                [item for item in published["issues"] if _is_error(item)],
                issues,
                unread,
                published["valid"],
            )
            verdicts.append(verdict)
            outcome = "passed" if verdict.agrees else "failed"
            yield Result(name, outcome, "" if verdict.agrees else verdict.note(), case["tier"])
    _print_figures(verdicts)


def _judgements(case: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield case["name"], case
    if "profile" in case:
        yield f"{case['name']}/profile", case["profile"]


def _is_error(item: dict[str, Any]) -> bool:
    """Whether a published issue is one that refuses; what stopped the publisher has no severity."""
    return item.get("severity", "fatal") in ("fatal", "error")


def _print_figures(verdicts: list[_Verdict]) -> None:
    bad = [verdict for verdict in verdicts if not verdict.wanted]
    good = [verdict for verdict in verdicts if verdict.wanted]
    refused = [verdict for verdict in bad if verdict.agrees]
    accepted = [verdict for verdict in good if verdict.agrees]
    placed = [verdict for verdict in refused if verdict.shares_place]
    print(f"  same verdict: {_share(len(refused) + len(accepted), len(verdicts))}")
    print(f"  invalid refused: {_share(len(refused), len(bad))}")
    print(f"  valid accepted: {_share(len(accepted), len(good))}")
    print(f"  refused at a published place: {_share(len(placed), len(refused))}")
    causes = Counter(verdict.cause for verdict in verdicts if not verdict.agrees)
    for cause, count in causes.most_common():
        print(f"    {count} {cause}")


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / max(whole, 1):.1f} %)"


def _judged(
    folder: Path, case: dict[str, Any], expected: dict[str, Any]
) -> tuple[list[Issue], bool]:
    """(issues, whether the file could not be read)."""
    sources = [expected["source"]] if "source" in expected else []
    names = [*sources]
    for part in (case, expected) if sources else (case,):
        for key in ("supporting", "supporting5", "profiles"):
            names += part.get(key, [])
    known = [resource for name in names for resource in _definitions_in(folder / name)]
    validator = Validator(definitions(), Profiles(known), strictness=_strictness(case))
    urls = [
        resource["url"]
        for name in sources
        for resource in _definitions_in(folder / name)
        if resource.get("resourceType") == "StructureDefinition"
    ]
    try:
        resources = list(_read(folder / case["file"]))
    except BridgeError as error:
        return list(error.issues), True
    issues = [issue for resource in resources for issue in validator.check(resource, urls)]
    if "bundle-param" in case:
        issues += _by_rule_of_bundle(validator, resources[0], case["bundle-param"])
    if case.get("validateContains") == "IGNORE":
        issues = [issue for issue in issues if ".contained[" not in issue.where]
    return issues, False


def _by_rule_of_bundle(
    validator: Validator, bundle: Resource, option: dict[str, str]
) -> Iterator[Issue]:
    """The option that names a profile for one entry, by its type and number (``Patient:0``)."""
    wanted, _, number = option["rule"].partition(":")
    entries = [
        (index, entry["resource"])
        for index, entry in enumerate(bundle.get("entry", ()))
        if entry.get("resource", {}).get("resourceType") == wanted
    ]
    index, resource = entries[int(number)]
    for issue in validator.check(resource, [option["profile"]]):
        yield replace(
            issue, where=f"Bundle.entry[{index}].resource{issue.where.removeprefix(wanted)}"
        )


def _strictness(case: dict[str, Any]) -> Strictness:
    """What the publisher's runner asks of every case, and the options of this one."""
    return Strictness(
        unknown_extensions="error",
        unknown_codes="error",
        wrong_displays="error",
        relative_canonicals=False,
        dead_links=False,
        examples=case.get("examples", True),
        markup=not (case.get("security-checks") or case.get("noHtmlInMarkdown")),
    )


def _definitions_in(path: Path) -> list[Resource]:
    """The resource in `path`, or those of its Bundle."""
    try:
        resources = list(_read(path))
    except (BridgeError, OSError):
        return []
    return [
        item
        for resource in resources
        for item in (
            [entry["resource"] for entry in resource.get("entry", [])]
            if resource["resourceType"] == "Bundle"
            else [resource]
        )
    ]


def _read(path: Path) -> Iterator[Resource]:
    """The resources of a file: one, or one a line of NDJSON."""
    data = path.read_bytes()
    if path.suffix == ".xml":
        yield parse_xml(data)
    elif path.suffix == ".ndjson":
        for line in data.splitlines():
            if line.strip():
                yield parse_json(line)
    else:
        yield parse_json(data)
