"""An app asks for the record of a person: whose, what, and whether it may.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html.  The request stands in the address
and is checked anew at each step; nothing of it is believed from a form but what the person chose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, g, request

from fhir_bridge import clock
from fhir_bridge.access import Caller
from fhir_bridge.accounts import Session
from fhir_bridge.database import milliseconds
from fhir_bridge.fhir import parse_json
from fhir_bridge.search import parse_search, plan
from fhir_bridge.sign_in.oauth import answered, oauth_request
from fhir_bridge.sign_in.page import Pages, with_query
from fhir_bridge.sign_in.scope_words import scope_lines
from fhir_bridge.smart import Answer, AuthorizationRequest, Decision, Refusal

__all__ = ["DecidingPages"]

_MAX_LISTED = 20


@dataclass(frozen=True, slots=True)
class _Person:
    """A Patient as a choice."""

    id: str
    name: str
    born: str


class DecidingPages(Pages):
    """``/auth/authorize``: sign in, choose whose record, agree or not."""

    def authorize(self) -> Response:
        """The request of an app; by POST it is the same one, and goes on by GET."""
        try:
            checked = self.smart.server.authorization_request(oauth_request(request))
        except Refusal as refusal:
            return self.message("app_refused", reason=str(refusal))
        if isinstance(checked, Answer):
            return answered(checked)
        if request.method == "POST":
            return self.go(with_query("/auth/authorize", **checked.parameters))
        session = self.session()
        if session is None or _is_stale(checked, session):
            return self._first_sign_in(checked)
        return self._ask(checked, session)

    def decide(self) -> Response:
        """The person has chosen whose record, or has agreed or refused."""
        self.require_own_form()
        try:
            checked = self.smart.server.authorization_request(_as_get())
        except Refusal as refusal:
            return self.message("app_refused", reason=str(refusal))
        if isinstance(checked, Answer):
            return answered(checked)
        session = self.session()
        if session is None:
            return self._first_sign_in(checked)
        if "answer" not in request.form:
            return self._ask(checked, session)
        if request.form["answer"] != "allow":
            return answered(self.smart.server.decide(_as_get(), None))
        kept = checked.scopes.only(request.form.getlist("scope"))
        return self._allow(checked, session, str(kept), remember=True)

    def _first_sign_in(self, checked: AuthorizationRequest) -> Response:
        if "none" in checked.prompt:
            return answered(
                self.smart.server.error(checked, "login_required", "Nobody is signed in.")
            )
        parameters = dict(checked.parameters)
        if "login" in checked.prompt:
            left = " ".join(sorted(checked.prompt - {"login"}))
            parameters["prompt"] = left
            if not left:
                del parameters["prompt"]
        if checked.max_age == 0:
            del parameters["max_age"]
        here = with_query("/auth/authorize", **parameters)
        return self.go(with_query("/sign-in", next=here))

    def _ask(self, checked: AuthorizationRequest, session: Session) -> Response:
        """Whose record, then what: each only when it is not known yet."""
        caller = self.gate.caller_of(session)
        if checked.launch is not None and checked.launch.account_id != session.account_id:
            return answered(self.smart.server.decide(_as_get(), None))
        patient: _Person | None = None
        if checked.needs_patient:
            choices = self._choices(checked, caller)
            if isinstance(choices, Response):
                return choices
            patient = choices
        known = self.smart.consents.scopes(session.account_id, checked.app.client_id)
        asks = frozenset(str(checked.scopes).split())
        if asks <= known and "consent" not in checked.prompt:
            return self._allow(checked, session, str(checked.scopes), remember=False)
        if "none" in checked.prompt:
            error = self.smart.server.error(checked, "consent_required", "The person must agree.")
            return answered(error)
        return self.render(
            "consent.html",
            targets=self.targets(_here()),
            app=checked.app,
            account=self.accounts.get(session.account_id),
            patient=patient,
            lines=scope_lines(checked.scopes, g.words),
            action=_decide_path(),
        )

    def _choices(self, checked: AuthorizationRequest, caller: Caller) -> _Person | Response:
        """The record that it is about, or the page where it is chosen."""
        chosen = request.form.get("patient", "")
        if checked.launch is not None:
            chosen = checked.launch.patient or chosen
        if chosen:
            found = self._patient(caller, chosen)
            return found or self.message("no_such_patient", status=403)
        query = request.form.get("q", "").strip()[:100]
        listed = self._patients(caller, query)
        if len(listed) == 1 and not query:
            return listed[0]
        if not listed and not query:
            return self._nothing_to_open(checked)
        if "none" in checked.prompt:
            error = self.smart.server.error(
                checked, "interaction_required", "The person must choose a record."
            )
            return answered(error)
        return self.render(
            "choose.html",
            app=checked.app,
            people=listed[:_MAX_LISTED],
            more=len(listed) > _MAX_LISTED,
            query=query,
            action=_decide_path(),
        )

    def _nothing_to_open(self, checked: AuthorizationRequest) -> Response:
        if "none" in checked.prompt:
            return answered(self.smart.server.decide(_as_get(), None))
        return self.message("no_patient", status=403)

    def _allow(
        self, checked: AuthorizationRequest, session: Session, scopes: str, *, remember: bool
    ) -> Response:
        """Send the app its code; a choice that a form brings is looked at again."""
        kept = self.smart.server.scopes(scopes)
        patient = encounter = ""
        if checked.launch is not None:
            encounter = checked.launch.encounter
        if checked.needs_patient:
            found = self._choices(checked, self.gate.caller_of(session))
            if isinstance(found, Response):
                return found
            patient = found.id
        if not scopes:
            return answered(self.smart.server.decide(_as_get(), None))
        if remember:
            self.smart.consents.remember(session.account_id, checked.app.client_id, scopes)
        decision = Decision(
            session.account_id,
            str(kept),
            patient=patient,
            encounter=encounter,
            session=session.digest,
            methods=" ".join(session.methods),
            signed_in=session.began,
        )
        return answered(self.smart.server.decide(_as_get(), decision))

    def _patient(self, caller: Caller, patient_id: str) -> _Person | None:
        stored = self.services.store.read("Patient", patient_id, self.services.access_of(caller))
        if stored is None or stored.deleted:
            return None
        return _person(parse_json(stored.body))

    def _patients(self, caller: Caller, query: str) -> list[_Person]:
        """Those whom the person may see; by name (characters, pinyin) or number with `query`."""
        name = "identifier" if any(each.isdigit() for each in query) else "name"
        escaped = query.replace("\\", "\\\\").replace(",", "\\,").replace("$", "\\$")
        pairs = [(name, escaped)] if query else []
        search = parse_search(
            "Patient", [*pairs, ("_count", str(_MAX_LISTED + 1))], self.services.registry
        )
        access = self.services.access_of(caller)
        page = self.services.store.find(plan(search, self.services.registry), access)
        return [_person(parse_json(match.body)) for match in page.matches]


def _is_stale(checked: AuthorizationRequest, session: Session) -> bool:
    """Whether the app wants the person to prove anew who they are."""
    if "login" in checked.prompt or checked.max_age == 0:
        return True
    age = (milliseconds(clock.now()) - session.began) / 1000
    return checked.max_age is not None and age > checked.max_age


def _as_get() -> Any:
    """The authorization request of the address, without what the form added."""
    return oauth_request(request, form=False)


def _here() -> str:
    return f"/auth/authorize?{request.query_string.decode('ascii', 'replace')}"


def _decide_path() -> str:
    return f"/auth/decide?{request.query_string.decode('ascii', 'replace')}"


def _person(patient: dict[str, Any]) -> _Person:
    names = patient.get("name") or [{}]
    first = next((each for each in names if each.get("text")), names[0])
    given = "".join(first.get("given", ()))
    name = first.get("text") or f"{first.get('family', '')}{given}" or str(patient["id"])
    return _Person(str(patient["id"]), name, str(patient.get("birthDate", "")))
