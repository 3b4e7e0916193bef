"""A QuestionnaireResponse against the Questionnaire that it names.

https://hl7.org/fhir/R4/questionnaireresponse.html#link (which questions, in which order, how
often, answered by what).  Judged where the Questionnaire is contained or known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import Resource
from fhir_bridge.validation.enable_when import Scope, answer_form, is_enabled, same_answer
from fhir_bridge.validation.finding import Finding, Findings, found, moved
from fhir_bridge.validation.judged import resolve
from fhir_bridge.validation.values import fits_codes

__all__ = ["QuestionnaireResponses"]

_FORMS = {"text": "String", "url": "Uri", "choice": "Coding", "open-choice": "Coding"}
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
                yield from _fault(f"the required item {link_id} has no answer")
            if len(own) > 1 and not question.get("repeats"):
                yield from _fault(f"the item {link_id} stands more than once")
            for index, item in own:
                faults = [*_misplaced_answers(question, item, enabled)]
                if question.get("type") == "group":
                    faults += self._level(question, item, scope, known, is_whole)
                for place, answer in enumerate(item.get("answer", ())):
                    inner = [*self._level(question, answer, scope, known, is_whole)]
                    reason = self._answer_fault(question, answer)
                    inner += _fault(f"the item {link_id} {reason}") if reason else ()
                    faults += moved(inner, f".answer[{place}]")
                yield from moved(faults, f".item[{index}]")

    def _answer_fault(self, question: Resource, answer: Resource) -> str:
        """Why `answer` is none to `question`; "" when it is one."""
        kind = str(question.get("type"))
        if kind in ("group", "display"):
            return "is no question and has an answer"
        form = answer_form(answer, "value")
        if not form or kind == "question":  # abstract: of any type
            return ""
        options = question.get("answerOption", ())
        allowed = {answer_form(option, "value") for option in options} - {""}
        if not allowed:
            allowed = {f"value{_FORMS.get(kind) or kind[:1].upper() + kind[1:]}"}
        if kind == "open-choice":
            allowed.add("valueString")
        if form not in allowed:
            return f"is answered by {form}, not by {' or '.join(sorted(allowed))}"
        value = answer[form]
        longest = question.get("maxLength")
        if isinstance(longest, int) and isinstance(value, str) and len(value) > longest:
            return f"has an answer longer than {longest} characters"
        if kind == "choice" and not self._is_offered(question, form, value):
            return "has an answer that is not offered"
        return ""

    def _is_offered(self, question: Resource, form: str, value: Any) -> bool:
        options = question.get("answerOption", ())
        if options:
            return any(same_answer(option.get(form), value) for option in options)
        systems = self._profiles.codes(str(question.get("answerValueSet", "")))
        return systems is None or fits_codes(value, systems)


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
    if len(item.get("answer", ())) > 1 and not question.get("repeats"):
        findings += _fault(f"the item {item['linkId']} has more than one answer")
    return findings


def _is_answered(own: list[tuple[int, Resource]]) -> bool:
    return any("answer" in item or "item" in item for _, item in own)


def _link_ids(asked: Resource) -> Iterator[str]:
    for item in asked.get("item", ()):
        yield str(item.get("linkId"))
        yield from _link_ids(item)


def _fault(reason: str, where: str = "") -> list[Finding]:
    return moved(found("FB-3028", reason=reason), where)
