"""String search parameters: names, addresses and other short text.

https://hl7.org/fhir/R4/search.html#string.  Each part of a name or address is a value of
its own, folded; the original text is kept as a posting for ``:exact``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from fhir_bridge.search.folding import fold, words
from fhir_bridge.search.hashing import posting
from fhir_bridge.search.pinyin import name_forms
from fhir_bridge.search.rows import IndexRows

__all__ = ["LONGEST", "bounded", "exact", "extract", "extract_words", "is_name", "parts", "word"]

LONGEST = 2_400
"""UTF-8 bytes of a folded string that are indexed and compared (a PostgreSQL index row holds
2,700)."""

_NAME_PARTS = ("family", "text")
_NAME_LISTS = ("given", "prefix", "suffix")
_ADDRESS_PARTS = ("text", "city", "district", "state", "postalCode", "country")


def bounded(folded: str) -> str:
    """The part of a folded string that is indexed."""
    if len(folded) * 4 <= LONGEST:
        return folded
    return folded.encode()[:LONGEST].decode("utf-8", "ignore")


def exact(text: str) -> str:
    """Index text of a string as it is written."""
    return f"\x04{text}"


def word(folded: str) -> str:
    """Index text of one word of a narrative."""
    return f"\x05{folded}"


def extract(values: Iterable[tuple[str, Any]], number: int, rows: IndexRows, code: str) -> None:
    """Adds the strings of one parameter; names in Han characters also by their other forms."""
    for kind, value in values:
        has_forms = kind == "HumanName" or is_name(code)
        for text, is_given in parts(kind, value, code):
            written, texts = _rows(number, text, is_given, has_forms)
            rows.postings.add(written)
            rows.texts.update(texts)


@lru_cache(maxsize=1 << 13)
def _rows(
    number: int, text: str, is_given: bool, has_forms: bool
) -> tuple[int, tuple[tuple[int, str, int], ...]]:
    """The posting and the texts of one string; names, cities and streets come again."""
    folded = bounded(fold(text))
    forms: tuple[str, ...] = ()
    if has_forms and not folded.isascii():
        forms = name_forms(folded, is_given=is_given)
    texts = ((number, folded, 0), *((number, form, 1) for form in forms))
    return posting(number, exact(text)), texts


def extract_words(narratives: Iterable[str], number: int, rows: IndexRows) -> None:
    """Adds each word of some longer text as a posting."""
    for narrative in narratives:
        for folded in words(narrative):
            rows.postings.add(posting(number, word(folded)))


def parts(kind: str, value: Any, code: str) -> Iterator[tuple[str, bool]]:
    """The texts within one element, and whether a text is a given name."""
    if isinstance(value, str):
        yield value, code == "given"
        return
    if not isinstance(value, dict):
        return
    is_name = kind == "HumanName"
    for name in _NAME_PARTS if is_name else _ADDRESS_PARTS:
        text = value.get(name)
        if isinstance(text, str):
            yield text, False
    for name in _NAME_LISTS if is_name else ("line",):
        for text in value.get(name) or ():
            if isinstance(text, str):
                yield text, name == "given"


def is_name(code: str) -> bool:
    """Whether the texts of a string parameter are people's names."""
    return code in _NAME_CODES


_NAME_CODES = frozenset({"family", "given", "name", "phonetic"})
