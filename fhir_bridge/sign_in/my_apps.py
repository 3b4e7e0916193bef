"""``/sign-in/apps``: the apps that a person has let at the record, and taking that back."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, g, request

from fhir_bridge.database import instant_of
from fhir_bridge.sign_in.page import Pages
from fhir_bridge.sign_in.scope_words import ScopeLine, scope_lines

__all__ = ["MyAppsPages"]


@dataclass(frozen=True, slots=True)
class _AppLine:
    """One app of a person's."""

    client_id: str
    name: str
    owner: str
    since: str
    last_used: str
    lasting: bool
    lines: list[ScopeLine]


class MyAppsPages(Pages):
    """What apps hold, and its end."""

    def my_apps(self) -> Response:
        """The list."""
        session = self.session()
        if session is None:
            return self.to_sign_in()
        apps: dict[str, _AppLine] = {}
        for grant in self.smart.grants.of_account(session.account_id):
            app = self.smart.apps.get(grant.client_id)
            if app is None or grant.client_id in apps or not grant.last_used:
                continue
            apps[grant.client_id] = _AppLine(
                app.client_id,
                app.name,
                app.owner,
                instant_of(grant.created)[:16].replace("T", " "),
                instant_of(grant.last_used)[:16].replace("T", " "),
                grant.is_lasting,
                scope_lines(self.smart.server.scopes(grant.scopes), g.words),
            )
        said = request.args.get("said", "")
        return self.render("apps.html", apps=list(apps.values()), said=said)

    def take_back(self) -> Response:
        """One app's access ends, and it is asked for anew next time."""
        self.require_own_form()
        session = self.session()
        if session is None:
            return self.to_sign_in()
        client_id = request.form.get("app", "")
        self.smart.grants.revoke_app_of(session.account_id, client_id)
        self.smart.consents.forget(session.account_id, client_id)
        return self.go("/sign-in/apps?said=taken")
