"""The judgement of a resource: structure, invariants, extensions, profiles.

https://hl7.org/fhir/R4/validation.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Definitions, Resource, definitions, operation_outcome
from fhir_bridge.fhirpath import Environment
from fhir_bridge.validation.context import enter, leave, resolve
from fhir_bridge.validation.extensions.extension_context import ExtensionContexts
from fhir_bridge.validation.fast_path.fast_path import FastPath, Further
from fhir_bridge.validation.fast_path.self_contained import self_contained_types
from fhir_bridge.validation.finding import Findings, NodeCheck, fault, is_misshapen, moved
from fhir_bridge.validation.invariants.invariants import Invariants
from fhir_bridge.validation.profiles.compiler import ProfileCompiler
from fhir_bridge.validation.resources.bundle import check_bundle
from fhir_bridge.validation.resources.measure_report import MeasureReports
from fhir_bridge.validation.resources.questionnaire_response import QuestionnaireResponses
from fhir_bridge.validation.resources.structure_definition import StructureDefinitions
from fhir_bridge.validation.strictness import LENIENT, Strictness
from fhir_bridge.validation.structure.canonicals import Canonicals
from fhir_bridge.validation.structure.coding import Codings
from fhir_bridge.validation.structure.structure import Structure
from fhir_bridge.validation.structure.type_rules import TYPE_RULES
from fhir_bridge.validation.values import fits_codes

__all__ = ["Validator", "validate"]

_R4 = "http://hl7.org/fhir/StructureDefinition/"


class Validator:
    """Checks compiled once for each type and profile; safe to share between threads.

    `invariants` False leaves out the FHIRPath rules of R4's own types (profiles keep
    theirs).  `environment` is handed to FHIRPath (terminology, resolution).  `strictness` says
    what comes of what R4 leaves open.
    """

    def __init__(
        self,
        definitions: Definitions,
        profiles: Profiles,
        *,
        invariants: bool = True,
        environment: Environment | None = None,
        strictness: Strictness = LENIENT,
    ) -> None:
        self._definitions = definitions
        self._profiles = profiles
        self._with_invariants = invariants
        environment = environment or self._environment()
        self._invariants = Invariants(definitions, environment)
        self._compiler = ProfileCompiler(definitions, profiles, self._invariants)
        self._contexts = ExtensionContexts(definitions, profiles, strictness)
        self._resource_checks: dict[str, NodeCheck] = {
            "Bundle": check_bundle,
            "MeasureReport": MeasureReports(profiles).check,
            "QuestionnaireResponse": QuestionnaireResponses(profiles).check,
            "StructureDefinition": StructureDefinitions(definitions, profiles, environment).check,
        }
        self._codings = Codings(profiles, strictness)
        self._globals = _global_profiles(profiles)
        self._further_by_type: dict[str, list[Further]] = {}
        canonicals = Canonicals(definitions, profiles, strictness)
        self._structure = Structure(definitions, self._further, strictness, canonicals)
        self._fast_path = FastPath(
            definitions,
            self._further_checks,
            self_contained_types(definitions, profiles),
            strictness,
            canonicals,
        )

    @property
    def profiles(self) -> Profiles:
        """The definitions that it judges by."""
        return self._profiles

    def check(self, resource: Any, profile_urls: Sequence[str] = ()) -> list[Issue]:
        """What is wrong with `resource`, judged by R4, by `profile_urls` and by its ``meta.profile``.

        Places are FHIRPath from the resource type (``Patient.name[0].given``).
        """
        if self._passes_fast_path(resource, profile_urls):
            return []
        findings = self._structure.check_resource(resource) or []
        if profile_urls and not is_misshapen(findings):
            claimed = _claimed(resource)
            token = enter(resource)
            try:
                for url in profile_urls:
                    if url not in claimed:
                        findings = [*findings, *(self._by_profile(resource, url) or ())]
            finally:
                leave(token)
        if not findings:
            return []
        named = resource.get("resourceType") if isinstance(resource, dict) else None
        known = type(named) is str and named in self._definitions.resource_types
        root = str(named) if known else ""
        issues = [finding.issue(root) for finding in findings]
        return list({str(issue): issue for issue in issues}.values())  # two profiles, one fault

    def _passes_fast_path(self, resource: Any, profile_urls: Sequence[str]) -> bool:
        """The quick answer: whether surely nothing is to be found."""
        token = enter(resource, sound=True)
        try:
            if not self._fast_path.accepts(resource):
                return False
            claimed = _claimed(resource) if profile_urls and "meta" in resource else ()
            return not any(
                self._by_profile(resource, url) for url in profile_urls if url not in claimed
            )
        finally:
            leave(token)

    def _environment(self) -> Environment:
        """What FHIRPath may ask: what is inside the judged resource, our profiles and codes."""
        return Environment(
            resolve=resolve, member_of=self._is_member, conforms_to=self._conforms_to
        )

    def _is_member(self, value: Any, value_set_url: str) -> bool | None:
        systems = self._profiles.codes(value_set_url)
        return None if systems is None else fits_codes(value, systems)

    def _conforms_to(self, resource: Any, url: str) -> bool | None:
        check = self._compiler.check_of(url)
        if check is None or not isinstance(resource, dict):
            return None
        return not any(finding.severity == "error" for finding in check(resource) or ())

    def _by_profile(self, resource: Resource, url: str) -> Findings:
        check = self._compiler.check_of(url)
        if check is not None:
            return check(resource)
        if url.startswith(_R4):
            named = url[len(_R4) :].partition("|")[0]
            if named == resource.get("resourceType"):
                return None
        return fault("FB-3013", "warning", profile=url)

    # --- what structure asks for each type ---------------------------------------------

    def _further_checks(self, type_name: str) -> list[Further]:
        """The judgements of an object of a type, each with the layouts that it speaks of."""
        known = self._further_by_type.get(type_name)
        if known is not None:
            return known
        checks: list[Further] = []
        if type_name in self._definitions.resource_types:
            checks.append((_with_meta, self._by_claimed_profiles))
            checks += [(_always, self._by_global(url)) for url in self._globals.get(type_name, ())]
        if type_name == "Extension":
            checks.append((_always, self._extension))
        if type_name in self._resource_checks:
            checks.append((_always, self._resource_checks[type_name]))
        if type_name == "Coding" or self._definitions.is_a(type_name, "Quantity"):
            checks.append((_with_key("system"), self._codings.check))
        if type_name in TYPE_RULES:
            checks.append(TYPE_RULES[type_name])
        checks.append((_with_extensions, self._contexts.check_of(type_name)))
        if self._with_invariants:
            checks += self._type_invariants(type_name)
        return self._further_by_type.setdefault(type_name, checks)

    def _further(self, type_name: str) -> NodeCheck | None:
        checks = [check for _, check in self._further_checks(type_name)]
        if not checks:
            return None

        def check(value: dict[str, Any]) -> Findings:
            findings: Findings = None
            for further in checks:
                more = further(value)
                if more:
                    findings = [*(findings or ()), *more]
            return findings

        return check if len(checks) > 1 else checks[0]

    def _by_claimed_profiles(self, resource: dict[str, Any]) -> Findings:
        if "meta" not in resource:
            return None
        findings: Findings = None
        for url in _claimed(resource):
            more = self._by_profile(resource, url)
            if more:
                findings = [*(findings or ()), *more]
        return findings

    def _by_global(self, url: str) -> NodeCheck:
        return lambda resource: (
            None if url in _claimed(resource) else self._by_profile(resource, url)
        )

    def _extension(self, extension: dict[str, Any]) -> Findings:
        """The extension's own definition where it is known."""
        url = extension.get("url")
        if isinstance(url, str) and url in self._profiles.extensions:
            check = self._compiler.check_of(url)
            return check(extension) if check else None
        return None

    def _type_invariants(self, type_name: str) -> list[Further]:
        shape = self._definitions.types[type_name]
        judges = self._invariants.judges(shape.constraints, type_name)
        checks: list[Further] = [(_always, judge) for judge in judges]
        for key, element in shape.elements.items():
            if element.constraints:
                step = f".{element.choice}.ofType({element.type})" if element.choice else f".{key}"
                judges = self._invariants.judges(element.constraints, element.type)
                checks.extend((_with_key(key), _on_property(key, step, judge)) for judge in judges)
        return checks


def _global_profiles(profiles: Profiles) -> dict[str, list[str]]:
    """By resource type the profiles that a guide among `profiles` asks of all resources."""
    wanted: dict[str, list[str]] = {}
    for guide in profiles.of_type("ImplementationGuide").values():
        for item in guide.get("global", ()):
            wanted.setdefault(str(item.get("type")), []).append(str(item.get("profile")))
    return wanted


def _always(_keys: frozenset[str]) -> bool:
    return True


def _with_meta(keys: frozenset[str]) -> bool:
    return "meta" in keys


def _with_extensions(keys: frozenset[str]) -> bool:
    return not keys.isdisjoint(("extension", "modifierExtension")) or any(
        key[:1] == "_" for key in keys
    )


def _with_key(key: str) -> Callable[[frozenset[str]], bool]:
    return lambda keys: key in keys


def _on_property(key: str, step: str, judge: Any) -> NodeCheck:
    def check(owner: dict[str, Any]) -> Findings:
        value = owner.get(key)
        if value is None:
            return None
        if not isinstance(value, list):
            more = judge(value)
            return moved(more, step) if more else None
        findings: Findings = None
        for index, item in enumerate(value):
            more = judge(item) if item is not None else None
            if more:
                findings = [*(findings or ()), *moved(more, f"{step}[{index}]")]
        return findings

    return check


def _claimed(resource: dict[str, Any]) -> list[str]:
    meta = resource.get("meta")
    urls = meta.get("profile") if isinstance(meta, dict) else None
    return [url for url in urls if isinstance(url, str)] if isinstance(urls, list) else []


def validate(resource: Resource, profiles: Iterable[str] = ()) -> Resource:
    """`resource` judged by R4, by the profiles at the URLs `profiles` and by those it claims.

    Returns an OperationOutcome; one issue of severity information when nothing was found.
    """
    return operation_outcome(_validator().check(resource, tuple(profiles)))


@cache
def _validator() -> Validator:
    return Validator(definitions(), Profiles.from_artifacts(Artifacts()))
