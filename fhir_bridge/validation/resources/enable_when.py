"""Whether a question of a Questionnaire is to be asked: enableWhen and enableBehavior.

https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fhir_bridge.fhir import Resource
from fhir_bridge.validation.values import is_less

__all__ = ["answer_form", "is_enabled", "same_answer"]

Items = list[Resource]
Scope = tuple[Items, ...]
"""Items of a response: those beside the question first, then those around it."""


def is_enabled(item: Resource, scope: Scope) -> bool | None:
    """Whether the question `item` is to be asked; None when that cannot be told."""
    conditions = item.get("enableWhen", ())
    if not conditions:
        return True
    told = [_holds(condition, scope) for condition in conditions]
    decisive = item.get("enableBehavior") == "any"
    if decisive in told:
        return decisive
    return None if None in told else not decisive


def answer_form(value: Resource, prefix: str) -> str:
    """The JSON key of ``answer[x]`` or ``value[x]`` in `value`, "" when there is none."""
    return next((key for key in value if key.startswith(prefix) and key[len(prefix)].isupper()), "")


def same_answer(one: Any, other: Any) -> bool:
    """Whether two answers say the same: a Coding by system and code, others by all they hold."""
    if isinstance(one, dict) and isinstance(other, dict):
        for keys in (("system", "code"), ("reference",)):
            if keys[-1] in one or keys[-1] in other:
                return all(one.get(key) == other.get(key) for key in keys)
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _holds(condition: Resource, scope: Scope) -> bool | None:
    given = list(_given(str(condition.get("question")), scope))
    form = answer_form(condition, "answer")
    wanted = condition.get(form)
    operator = condition.get("operator")
    if operator == "exists":
        return bool(given) is wanted
    values = [answer[key] for answer in given if (key := f"value{form[6:]}") in answer]
    if operator == "=":
        return any(same_answer(value, wanted) for value in values)
    if operator == "!=":  # nothing was answered: the specification may be read either way
        return not any(same_answer(value, wanted) for value in values) if given else None
    if isinstance(wanted, dict) or operator not in (">", "<", ">=", "<="):
        return None
    return any(_compares(str(operator), value, wanted) for value in values)


def _compares(operator: str, value: Any, wanted: Any) -> bool:
    if operator[1:] and value == wanted:
        return True
    return is_less(wanted, value) if operator[0] == ">" else is_less(value, wanted)


def _given(link_id: str, scope: Scope) -> Iterator[Resource]:
    """The answers to `link_id`, from the nearest level that has the question."""
    for items in scope:
        found = list(_below(items, link_id))
        if found:
            for item in found:
                yield from item.get("answer", ())
            return


def _below(items: Sequence[Resource], link_id: str) -> Iterator[Resource]:
    for item in items:
        if item.get("linkId") == link_id:
            yield item
        yield from _below(item.get("item", ()), link_id)
        for answer in item.get("answer", ()):
            yield from _below(answer.get("item", ()), link_id)
