"""Codes of systems that are known whole: R4's own, those at hand, units and languages.

https://hl7.org/fhir/R4/datatypes.html#Coding, https://hl7.org/fhir/R4/terminologies-systems.html,
https://ucum.org/ucum, https://www.rfc-editor.org/rfc/rfc5646

A system that is not known here, or not whole, is not judged.  Codes are compared without
regard to case where they differ in nothing else: most systems of R4 do not tell cases apart.
"""

from __future__ import annotations

import re
from typing import Any

from fhir_bridge import ucum
from fhir_bridge.conformance import Profiles
from fhir_bridge.terminology import is_language_tag
from fhir_bridge.validation.finding import Finding, Findings, fault, moved
from fhir_bridge.validation.strictness import Strictness
from fhir_bridge.validation.values import UCUM

__all__ = ["Codings"]

_VALUE_SET = re.compile(r"http://(?:terminology\.)?hl7\.org/(?:fhir/)?ValueSet/")
_MAX_SOUND = 5_000
_BCP47 = "urn:ietf:bcp:47"


class Codings:
    """Judges each Coding and Quantity by its system."""

    def __init__(self, profiles: Profiles, strictness: Strictness) -> None:
        self._profiles = profiles
        self._codes = strictness.unknown_codes
        self._displays = strictness.wrong_displays
        self._sound: set[tuple[str, Any]] = set()
        self._folded: dict[str, frozenset[str]] = {}

    def check(self, coding: dict[str, Any]) -> Findings:
        """Findings on system, code and display of a Coding or Quantity."""
        system, code = coding.get("system"), coding.get("code")
        if type(system) is not str or not (code is None or type(code) is str):
            return None
        known = (system, code)
        findings: list[Finding] = []
        if known not in self._sound:
            findings = self._faults(system, code, coding.get("version"))
            if not findings and "version" not in coding and len(self._sound) < _MAX_SOUND:
                self._sound.add(known)
        if findings or code is None or self._displays == "allowed":
            return findings or None
        if self._is_wrong(system, code, coding):
            return moved(fault("FB-3037", self._displays, system=system), ".display")
        return None

    def _faults(self, system: str, code: str | None, version: Any) -> list[Finding]:
        if self._is_no_code_system(system):
            return moved(fault("FB-3036", system=system), ".system")
        if code is None or self._codes == "allowed" or self.is_code(system, code, version):
            return []
        return moved(fault("FB-3035", self._codes, system=system), ".code")

    def is_code(self, system: str, code: str, version: Any = None) -> bool:
        """Whether `code` is, or may be, one of `system`."""
        if system == UCUM:
            return ucum.is_valid(code)
        if system == _BCP47:
            return is_language_tag(code)
        codes = self._profiles.system_codes(system)
        if codes is None or code in codes:
            return True
        if version is not None and system not in self._profiles.code_systems:
            return True  # of a version that may have had it
        if system not in self._folded:
            self._folded[system] = frozenset(one.casefold() for one in codes)
        return code.casefold() in self._folded[system]

    def _is_no_code_system(self, system: str) -> bool:
        """Whether the URL is one of a value set, or of a supplement, which has no codes of its own."""
        if _VALUE_SET.match(system):
            return True
        if system in self._profiles.value_sets and system not in self._profiles.code_systems:
            return True
        ours = self._profiles.code_systems.get(system)
        return ours is not None and ours.get("content") == "supplement"

    def _is_wrong(self, system: str, code: str, coding: dict[str, Any]) -> bool:
        display = coding.get("display")
        known = self._profiles.displays(system, code)
        if not isinstance(display, str) or not known:
            return False
        wanted = " ".join(display.split()).casefold()
        return all(" ".join(name.split()).casefold() != wanted for name in known)
