"""How a body is stored: compressed by Zstandard, with a dictionary of what FHIR's JSON says.

https://www.rfc-editor.org/rfc/rfc8878.  A resource of a kilobyte shares nearly all of its text
with every other one, so that a dictionary does what compression alone cannot: about a sixth
remains, at 2 to 3 µs to write and to read.

`Packed.how` is the column ``compressed``: 0 as it is, 1 zlib and 2 raw deflate with
`_DICTIONARY` (both written by older releases), 3 Zstandard with ``bodies.zdict``.  A
dictionary is never changed, as bodies need it for ever: a better one gets the next number
(``definitions/train_dictionary.py`` made this one).
"""

from __future__ import annotations

import threading
import zlib
from importlib.resources import files

from zstandard import ZstdCompressionDict, ZstdCompressor, ZstdDecompressor

__all__ = ["lower_text", "packed", "unpacked"]

_PLAIN, _ZLIB, _DEFLATED, _ZSTANDARD = 0, 1, 2, 3
_MIN_COMPRESSED = 80
"""Bytes of a body below which it is kept as it is."""

_LEVEL = 3
_TRAINED = files(__package__).joinpath("bodies.zdict").read_bytes()

_DICTIONARY = b"".join(
    (
        b'"payload":[{"contentString":"contentAttachment":{"contentType":"application/pdf","data":"',
        b'"contentType":"text/plain; charset=UTF-8","base64Binary","valueCoding":{"valueDateTime":"',
        b'"text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">',
        b'<table><tr><td></td></tr></table><p></p></div>"},"text":{"status":"additional","div":"',
        b'"contained":[{"modifierExtension":[{"extension":[{"url":"http://hl7.org/fhir/',
        b'StructureDefinition/","valueString":"","valueCode":"","valueBoolean":true,"valueInteger":',
        b'"valueReference":{"reference":"","valueCodeableConcept":{"coding":[{"system":"',
        b'"profile":["https://fhir-bridge.org/fhir/StructureDefinition/fd-"],"security":[{"tag":[{',
        b'{"resourceType":"Organization","name":"","alias":["","partOf":{"reference":"Organization/',
        b'{"resourceType":"Location","mode":"instance","managingOrganization":{"reference":"',
        b'{"resourceType":"Practitioner","qualification":[{"code":{"coding":[{"system":"',
        b'{"resourceType":"PractitionerRole","practitioner":{"reference":"Practitioner/',
        b'"organization":{"reference":"Organization/","specialty":[{"coding":[{"system":"',
        b'{"resourceType":"CareTeam","participant":[{"role":[{"member":{"reference":"onBehalfOf":{',
        b'{"resourceType":"Contract","term":[{"offer":{"party":[{"asset":[{"valuedItem":[{"net":{',
        b'"currency":"CNY","issued":"","applies":{"start":"","signer":[{"type":{"system":"',
        b'{"resourceType":"Immunization","vaccineCode":{"coding":[{"occurrenceDateTime":"',
        b'{"resourceType":"AllergyIntolerance","reaction":[{"manifestation":[{"coding":[{"',
        b'{"resourceType":"Medication","medicationCodeableConcept":{"coding":[{"',
        b'{"resourceType":"MedicationRequest","dosageInstruction":[{"text":"","timing":{"repeat":{',
        b'"frequency":1,"period":1,"periodUnit":"d"}},"doseAndRate":[{"doseQuantity":{"value":',
        b'{"resourceType":"Procedure","performedDateTime":"","performedPeriod":{"start":"',
        b'{"resourceType":"Composition","section":[{"title":"","entry":[{"reference":"',
        b'{"resourceType":"DocumentReference","content":[{"attachment":{"contentType":"',
        b'{"resourceType":"Task","intent":"order","executionPeriod":{"start":"","for":{"reference":"',
        b'{"resourceType":"ServiceRequest","intent":"order","priority":"routine","authoredOn":"',
        b'"requester":{"reference":"Practitioner/","reasonCode":[{"text":"","note":[{"text":"',
        b'{"resourceType":"Provenance","target":[{"reference":"","recorded":"","agent":[{"type":{',
        b'"coding":[{"system":"http://terminology.hl7.org/CodeSystem/provenance-participant-type",',
        b'"code":"assembler"}]},"who":{"display":"","entity":[{"role":"source","what":{"identifier":{',
        b'{"resourceType":"Condition","clinicalStatus":{"coding":[{"system":"http://terminology.',
        b'hl7.org/CodeSystem/condition-clinical","code":"active"}]},"verificationStatus":{"coding":',
        b'[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"',
        b'confirmed"}]},"onsetDateTime":"","recordedDate":"http://hl7.org/fhir/sid/icd-10","code":"',
        b'http://snomed.info/sct","code":"',b'{"resourceType":"DiagnosticReport","result":[{"reference":"Observation/',
        b'"presentedForm":[{"conclusion":"","performer":[{"reference":"Practitioner/","display":"',
        b'{"resourceType":"Patient","id":"","meta":{"versionId":"1","lastUpdated":"20","identifier":[',
        b'{"use":"official","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/',
        b'v2-0203","code":"MR"}]},"system":"urn:oid:2.16.840.1.113883.","value":"urn:oid:2.16.156.',
        b'10011.1.3","value":"","assigner":{"display":""}}],"active":true,"name":[{"use":"official",',
        b'"text":"","family":"","given":[""]}],"telecom":[{"system":"phone","value":"1","use":"',
        b'mobile"}],"gender":"female","gender":"male","birthDate":"19","address":[{"use":"home",',
        b'"text":"","line":[""],"city":"","district":"","state":"","postalCode":"","country":"CN"}],',
        b'"maritalStatus":{"coding":[{"contact":[{"relationship":[{"generalPractitioner":[{',
        b'"deceasedBoolean":false,"managingOrganization":{"reference":"Organization/"}}',
        b'{"resourceType":"Encounter","id":"","meta":{"versionId":"1","lastUpdated":"2026-',
        b'"identifier":[{"system":"urn:oid:","value":""}],"status":"finished","class":{"system":',
        b'"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"subject":{"reference":"',
        b'Patient/"},"period":{"start":"20","end":"20T00:00:00+08:00"}}',
        b'{"resourceType":"Observation","id":"","meta":{"versionId":"1","lastUpdated":"2026-01-01T',
        b'00:00:00.000Z"},"identifier":[{"system":"urn:oid:1.2.","value":""}],"status":"final",',
        b'"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-',
        b'category","code":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"',
        b'","display":""}],"text":"","subject":{"reference":"Patient/"},"encounter":{"reference":"',
        b'Encounter/"},"effectiveDateTime":"20T00:00:00+08:00","issued":"","valueCodeableConcept":{',
        b'"valueString":"","component":[{"code":{"coding":[{"valueQuantity":{"value":',b'"unit":"mm[Hg]","unit":"mmol/L",',
        b'"system":"http://unitsofmeasure.org","code":"mmol/L"},"interpretation":[{"coding":[{',
        b'"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"N"',
        b'}]}],"referenceRange":[{"low":{"value":,"high":{"value":,"text":""}]}',
    )
)  # fmt: skip


class _Codec(threading.local):
    """One pair a thread: the library's objects must not work for two at once."""

    def __init__(self) -> None:
        trained = ZstdCompressionDict(_TRAINED)
        trained.precompute_compress(level=_LEVEL)
        self.compress = ZstdCompressor(
            level=_LEVEL, dict_data=trained, write_checksum=False, write_dict_id=False
        ).compress
        self.decompress = ZstdDecompressor(dict_data=trained).decompress


_CODEC = _Codec()


def packed(body: bytes) -> tuple[int, bytes]:
    """How a body is stored (column ``compressed``) and what is stored of it."""
    if len(body) < _MIN_COMPRESSED:
        return _PLAIN, body
    data = _CODEC.compress(body)
    return (_ZSTANDARD, data) if len(data) < len(body) else (_PLAIN, body)


def unpacked(how: int, data: bytes) -> bytes:
    """The body of a row with `how` in its column ``compressed``."""
    if how == _ZSTANDARD:
        return _CODEC.decompress(data)
    if how == _DEFLATED:
        return zlib.decompressobj(-15, zdict=_DICTIONARY).decompress(data)
    if how == _ZLIB:
        return zlib.decompress(data)
    if how != _PLAIN:
        raise ValueError(f"bodies of form {how} are of another release")
    return bytes(data)


def lower_text(how: int, data: bytes) -> str:
    """The same as lower-case text, for a search in it."""
    return unpacked(how, data).decode("utf-8", "replace").lower()
