"""Cases that say of a file, or of a copy changed by a JSON Patch, whether it is valid by a profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fhir_bridge.conformance import Profiles
from fhir_bridge.errors import Issue
from fhir_bridge.fhir import definitions, parse_json
from fhir_bridge.interactions.patch.json_patch import apply_json_patch
from fhir_bridge.validation import Validator


class Profiled:
    """The validator of a folder with the definitions in its `profiles/`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        known = [parse_json(path.read_bytes()) for path in sorted(folder.glob("profiles/*.json"))]
        self._validator = Validator(definitions(), Profiles(known))

    def verdict(self, case: dict[str, Any]) -> str:
        """``valid`` or ``invalid``: `case` names the file, the patch and the profile(s)."""
        return "invalid" if self.errors(case) else "valid"

    def errors(self, case: dict[str, Any]) -> list[Issue]:
        """What the validator refuses of a case."""
        resource = parse_json((self._folder / case["file"]).read_bytes())
        stated = case["profile"]
        profiles = [stated] if isinstance(stated, str) else stated
        issues = self._validator.check(apply_json_patch(resource, case["patch"]), profiles)
        return [issue for issue in issues if issue.severity in ("fatal", "error")]
