"""What extensions of a question ask of its answers: bounds, form, size, number.

https://hl7.org/fhir/R4/questionnaire-profiles.html#extensions (minValue, maxValue, minLength, regex,
maxDecimalPlaces, maxSize, mimeType, questionnaire-minOccurs, -maxOccurs, -optionExclusive,
-referenceResource) and https://hl7.org/fhir/uv/sdc/ (quantities).
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, parse_reference
from fhir_bridge.pattern import Pattern, compile_pattern
from fhir_bridge.validation.values import are_comparable, is_less, stated_value

__all__ = ["exclusive_faults", "number_fault", "value_fault"]

_R4 = "http://hl7.org/fhir/StructureDefinition/"
_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"


def value_fault(question: Resource, form: str, value: Any) -> str:
    """What is wrong with the value of an answer, "" when nothing is."""
    if form == "valueAttachment":
        return _attachment_fault(question, value)
    if form == "valueReference":
        return _reference_fault(question, value)
    if form == "valueQuantity":
        least = [*_said(question, f"{_SDC}minQuantity"), *_said(question, f"{_R4}minValue")]
        most = [*_said(question, f"{_SDC}maxQuantity"), *_said(question, f"{_R4}maxValue")]
        return _bound_fault(value, least, most)
    bounds = _bound_fault(
        value, [*_said(question, f"{_R4}minValue")], [*_said(question, f"{_R4}maxValue")]
    )
    return bounds or _text_fault(question, value) or _decimal_fault(question, value)


def number_fault(question: Resource, count: int, *, is_whole: bool) -> str:
    """Whether an item is answered too often or, when the response is whole, too rarely."""
    for least in _said(question, f"{_R4}questionnaire-minOccurs"):
        if is_whole and isinstance(least, int) and count < least:
            return f"is answered {count} times, at least {least} are asked"
    for most in _said(question, f"{_R4}questionnaire-maxOccurs"):
        if isinstance(most, int) and count > most:
            return f"is answered {count} times, {most} at most are asked"
    return ""


def exclusive_faults(question: Resource, answers: Sequence[Any]) -> Iterator[int]:
    """The positions of answers that may only be given alone."""
    alone = [
        stated_value(option, "value")
        for option in question.get("answerOption", ())
        if True in _said(option, f"{_R4}questionnaire-optionExclusive")
    ]
    if len(answers) > 1:
        yield from (index for index, value in enumerate(answers) if _is_one_of(value, alone))


def _is_one_of(value: Any, options: Sequence[Any]) -> bool:
    if not isinstance(value, dict):
        return value in options
    named = (value.get("system"), value.get("code"))
    return any(
        isinstance(one, dict) and (one.get("system"), one.get("code")) == named for one in options
    )


def _said(element: Resource, url: str) -> Iterator[Any]:
    """The values of the extensions with `url`."""
    for extension in element.get("extension", ()):
        if extension.get("url") == url:
            yield stated_value(extension, "value")


def _bound_fault(value: Any, least: list[Any], most: list[Any]) -> str:
    for bound in least:
        if not are_comparable(value, bound):
            return "cannot be compared with the least value"
        if is_less(value, bound):
            return "is below the least value"
    for bound in most:
        if not are_comparable(value, bound):
            return "cannot be compared with the greatest value"
        if is_less(bound, value):
            return "is above the greatest value"
    return ""


def _text_fault(question: Resource, value: Any) -> str:
    if not isinstance(value, str):
        return ""
    for shortest in _said(question, f"{_R4}minLength"):
        if isinstance(shortest, int) and len(value) < shortest:
            return f"is shorter than {shortest} characters"
    for text in _said(question, f"{_R4}regex"):
        expression = _expression(str(text))
        if expression is not None and not expression.fullmatch(value):
            return f"has not the form {text}"
    return ""


@lru_cache(maxsize=256)
def _expression(text: str) -> Pattern | None:
    try:
        return compile_pattern(text)
    except BridgeError:
        return None  # the author of the Questionnaire is to be told, not who answers


def _decimal_fault(question: Resource, value: Any) -> str:
    if not isinstance(value, Decimal):
        return ""
    exponent = value.as_tuple().exponent
    for places in _said(question, f"{_R4}maxDecimalPlaces"):
        if isinstance(places, int) and isinstance(exponent, int) and -exponent > places:
            return f"has more than {places} decimal places"
    return ""


def _attachment_fault(question: Resource, value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    size = _size(value)
    for most in _said(question, f"{_R4}maxSize"):
        if isinstance(most, int | Decimal) and size > most:
            return f"is larger than {most} bytes"
    kinds = [*_said(question, f"{_R4}mimeType")]
    if kinds and "contentType" in value and value["contentType"] not in kinds:
        return f"is of type {value['contentType']}, not of {', '.join(map(str, kinds))}"
    return ""


def _size(attachment: Resource) -> int:
    try:
        true_size = len(binascii.a2b_base64(str(attachment.get("data", ""))))
    except binascii.Error:
        true_size = 0
    size = attachment.get("size")
    return max(true_size, size if isinstance(size, int) else 0)


def _reference_fault(question: Resource, value: Any) -> str:
    kinds = [*_said(question, f"{_R4}questionnaire-referenceResource")]
    text = value.get("reference") if isinstance(value, dict) else None
    reference = parse_reference(text) if isinstance(text, str) else None
    if kinds and reference and reference.resource_type and reference.resource_type not in kinds:
        return f"refers to {reference.resource_type}, not to {', '.join(map(str, kinds))}"
    return ""
