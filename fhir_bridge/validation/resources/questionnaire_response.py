"""A QuestionnaireResponse against the Questionnaire that it names.

https://hl7.org/fhir/R4/questionnaireresponse.html#link (which questions, in which order, how
often, answered by what).  Judged where the Questionnaire is contained or known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import Resource
from fhir_bridge.validation.context import resolve
from fhir_bridge.validation.finding import Finding, Findings, fault, moved
from fhir_bridge.validation.resources.enable_when import Scope, answer_form, is_enabled, same_answer
from fhir_bridge.validation.resources.questionnaire_limits import (
    exclusive_faults,
    number_fault,
    value_fault,
)
from fhir_bridge.validation.values import fits_codes, stated_value

__all__ = ["QuestionnaireResponses"]

_FORMS = {"text": "String", "url": "Uri", "choice": "Coding", "open-choice": "Coding"}
_NO_QUESTIONS = frozenset({"group", "display", "question"})  # "question" is abstract
_COMPLEX = frozenset({"Attachment", "Coding", "Quantity", "Reference"})
_ANSWERED = frozenset({"completed", "amended"})


class QuestionnaireResponses:
    """The judge of all responses, by the Questionnaires among `profiles`."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    def check(self, response: Resource) -> Findings:
        """Findings on items and answers; None too when the Questionnaire is not known."""
        url = response.get("questionnaire")
        if not isinstance(url, str):
            return None
        questionnaire = (
            resolve(url) if url.startswith("#") else self._profiles.find("Questionnaire", url)
        )
        if questionnaire is None or questionnaire.get("resourceType") != "Questionnaire":
            return None
        known = frozenset(_link_ids(questionnaire))
        is_whole = response.get("status") in _ANSWERED
        return list(self._level(questionnaire, response, (), known, is_whole)) or None

    def _level(
        self,
        asked: Resource,
        holder: Resource,
        scope: Scope,
        known: frozenset[str],
        is_whole: bool,
    ) -> Iterator[Finding]:
        """What is wrong with the items of `holder`, which answer the items of `asked`."""
        questions = {item["linkId"]: item for item in asked.get("item", ()) if "linkId" in item}
        items = holder.get("item", [])
        scope = (items, *scope)
        yield from _strangers(questions, items, known)
        for link_id, question in questions.items():
            own = [(i, item) for i, item in enumerate(items) if item.get("linkId") == link_id]
            enabled = is_enabled(question, scope)
            if is_whole and enabled and question.get("required") and not _is_answered(own):
                where = f".item[{own[0][0]}]" if own else ""
                yield from _fault(f"the required item {link_id} has no answer", where)
            if len(own) > 1 and not question.get("repeats"):
                yield from _fault(f"the item {link_id} stands more than once")
            count = _answers(question, own)
            wrong = number_fault(question, count, is_whole=is_whole and enabled is True)
            if wrong:
                where = f".item[{own[0][0]}]" if own else ""
                yield from _fault(f"the item {link_id} {wrong}", where)
            for index, item in own:
                faults = [*_misplaced_answers(question, item, enabled)]
                if question.get("type") == "group":
                    faults += self._level(question, item, scope, known, is_whole)
                for place, answer in enumerate(item.get("answer", ())):
                    inner = [*self._level(question, answer, scope, known, is_whole)]
                    inner += self._answer_faults(question, answer)
                    faults += moved(inner, f".answer[{place}]")
                yield from moved(faults, f".item[{index}]")

    def _answer_faults(self, question: Resource, answer: Resource) -> Iterator[Finding]:
        """Why `answer` is none to `question`, at its value where the value is to blame."""
        form = answer_form(answer, "value")
        kind = str(question.get("type"))
        if not form or kind in _NO_QUESTIONS:
            return
        allowed = _forms(question)
        if form not in allowed:
            expected = " or ".join(sorted(allowed))
            yield from _fault(
                f"the item {question['linkId']} is answered by {form}, not by {expected}"
            )
            return
        value = answer[form]
        reason = ""
        longest = question.get("maxLength")
        if isinstance(longest, int) and isinstance(value, str) and len(value) > longest:
            reason = f"is longer than {longest} characters"
        elif kind != "open-choice" and not self._is_offered(question, form, value):
            reason = "is not offered"
        reason = reason or value_fault(question, form, value)
        if reason:
            where = f".value.ofType({_type_of(form)})"
            yield from _fault(f"the answer to {question['linkId']} {reason}", where)

    def _is_offered(self, question: Resource, form: str, value: Any) -> bool:
        options = question.get("answerOption", ())
        if options:
            return any(same_answer(option.get(form), value) for option in options)
        systems = self._profiles.codes(str(question.get("answerValueSet", "")))
        return systems is None or fits_codes(value, systems)


def _forms(question: Resource) -> set[str]:
    """The forms of ``value[x]`` that may answer `question`."""
    kind = str(question.get("type"))
    allowed = {answer_form(option, "value") for option in question.get("answerOption", ())} - {""}
    if not allowed:
        allowed = {f"value{_FORMS.get(kind) or kind[:1].upper() + kind[1:]}"}
    return allowed | {"valueString"} if kind == "open-choice" else allowed


def _type_of(form: str) -> str:
    """The type that a form of ``value[x]`` holds (``date`` of ``valueDate``)."""
    name = form.removeprefix("value")
    return name if name in _COMPLEX else name[:1].lower() + name[1:]


def _answers(question: Resource, own: list[tuple[int, Resource]]) -> int:
    """How often an item is answered: its answers; of a group, how often it stands."""
    if question.get("type") == "group":
        return len(own)
    return sum(len(item.get("answer", ())) for _, item in own)


def _strangers(
    questions: dict[str, Resource], items: list[Resource], known: frozenset[str]
) -> Iterator[Finding]:
    """Items that are not of this level, and items out of order."""
    order = list(questions)
    reached = 0
    for index, item in enumerate(items):
        link_id = item.get("linkId")
        if link_id not in questions:
            where = "stands at another level" if link_id in known else "is not in the Questionnaire"
            yield from _fault(f"the item {link_id} {where}", f".item[{index}]")
            continue
        position = order.index(link_id)
        if position < reached:
            yield from _fault(f"the item {link_id} is out of order", f".item[{index}]")
        reached = max(reached, position)


def _misplaced_answers(question: Resource, item: Resource, enabled: bool | None) -> list[Finding]:
    """Answers to what was not to be asked, and more than one where one is asked for."""
    findings: list[Finding] = []
    if enabled is False and "answer" in item:
        findings += _fault(f"the item {item['linkId']} has an answer and was not to be asked")
    answers = item.get("answer", ())
    if answers and question.get("type") in _NO_QUESTIONS:
        findings += _fault(f"the item {item['linkId']} is no question and has an answer")
    if len(answers) > 1 and not question.get("repeats"):
        findings += _fault(f"the item {item['linkId']} has more than one answer")
    values = [stated_value(answer, "value") for answer in answers]
    for place in exclusive_faults(question, values):
        reason = f"the answer to {item['linkId']} may only be given alone"
        findings += _fault(reason, f".answer[{place}]")
    return findings


def _is_answered(own: list[tuple[int, Resource]]) -> bool:
    return any("answer" in item or "item" in item for _, item in own)


def _link_ids(asked: Resource) -> Iterator[str]:
    for item in asked.get("item", ()):
        yield str(item.get("linkId"))
        yield from _link_ids(item)


def _fault(reason: str, where: str = "") -> list[Finding]:
    return moved(fault("FB-3028", reason=reason), where)
