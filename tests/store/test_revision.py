"""The number of the way of extraction is raised when index rows change."""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b
from zlib import crc32

from fhir_bridge.search import Indexer, Registry
from fhir_bridge.store.maintenance.revision import EXTRACTION
from tests.store.asking import observation, patient

ROWS_OF = (5, "b4b98b537c335b2e")
"""`EXTRACTION` and the digest of the rows below; change both together."""

_ICD = "http://hl7.org/fhir/sid/icd-10"
_SAMPLES = (
    patient(
        "p",
        identifier=[{"system": "urn:a", "value": "X-1"}],
        name=[{"text": "欧阳秀兰", "family": "欧阳", "given": ["秀兰"]}],
        birthDate="1956-03",
        telecom=[{"system": "phone", "value": "160 0000"}],
        address=[{"city": "J市", "text": "J市解放路"}],
        generalPractitioner=[{"reference": "Practitioner/d"}],
        active=True,
    ),
    observation(
        "o",
        "p",
        effectiveDateTime="2026-05-04T10:12:00+08:00",
        valueQuantity={"value": Decimal("5.80"), "unit": "mmol/L", "code": "mmol/L"},
        component=[{"code": {"text": "x"}, "valueString": "y"}],
    ),
    {
        "resourceType": "Condition",
        "id": "c",
        "code": {"coding": [{"system": _ICD, "code": "I10", "display": "高血压"}]},
        "subject": {"reference": "Patient/p"},
        "onsetPeriod": {"start": "2015-03"},
    },
    patient("q", name=[{"text": "吕行·艾力"}], text={"div": "<div>a &lt; b</div>"}),
    observation("n", "p", valueQuantity={"value": Decimal(9007199254740993), "code": "g"}),
    {"resourceType": "Location", "id": "l", "position": {"latitude": 39, "longitude": 117}},
    {"resourceType": "ValueSet", "id": "v", "url": "http://a/b|c", "version": "1.0"},
)


def test_other_index_rows_ask_for_another_number(registry: Registry) -> None:
    """When this fails, raise `EXTRACTION`, so that a record of before is told to reindex."""
    numbers = {symbol: crc32(symbol.encode()) >> 18 for symbol in registry.symbols}
    indexer = Indexer(registry, numbers)
    digest = blake2b(digest_size=8)
    for sample in _SAMPLES:
        rows = indexer.rows(sample)
        for each in (rows.postings, rows.texts, rows.dates, rows.quantities, rows.terms):
            digest.update(repr((rows.date, sorted(each))).encode())
        digest.update(repr(sorted(rows.references.items())).encode())
    assert ROWS_OF == (EXTRACTION, digest.hexdigest())
