"""``/sign-in/registered``: an operator registers apps and ends them."""

from __future__ import annotations

from flask import Response, request

from fhir_bridge.errors import BridgeError
from fhir_bridge.sign_in.page import Pages
from fhir_bridge.smart import App

__all__ = ["RegisteringPages"]

_USUAL = "openid fhirUser launch/patient patient/*.rs"


class RegisteringPages(Pages):
    """The registered apps, for operators alone; apps with keys and systems are for the command."""

    def registered(self) -> Response:
        """The list, and the form for one more."""
        return self._refusal() or self._page()

    def register(self) -> Response:
        """One more app: its id and, once, its secret are on the page that answers."""
        self.require_own_form()
        refusal = self._refusal()
        if refusal is not None:
            return refusal
        form = request.form
        app = App(
            client_id="",
            name=form.get("name", ""),
            kind="symmetric" if form.get("confidential") else "public",
            scopes=form.get("scope", ""),
            redirect_uris=tuple(form.get("redirects", "").split()),
            launch_uri=form.get("launch_uri", "").strip(),
            owner=form.get("owner", "").strip()[:200],
        )
        try:
            made, secret = self.smart.apps.register(app)
        except BridgeError as error:
            return self._page(refused=error.issues[0].details.get("reason", ""), status=400)
        return self._page(made=made, secret=secret)

    def end(self) -> Response:
        """An app ends, with all that it holds."""
        self.require_own_form()
        refusal = self._refusal()
        if refusal is not None:
            return refusal
        self.smart.apps.revoke(request.form.get("app", ""))
        return self.go("/sign-in/registered")

    def _page(
        self, *, made: App | None = None, secret: str = "", refused: str = "", status: int = 200
    ) -> Response:
        values = {"scope": _USUAL, **(request.form if refused else {})}
        return self.render(
            "registered.html",
            status=status,
            apps=[each for each in self.smart.apps.list() if not each.revoked],
            made=made,
            secret=secret,
            refused=refused,
            values=values,
        )

    def _refusal(self) -> Response | None:
        """The way to sign in for nobody, a refusal for who is no operator."""
        session = self.session()
        if session is None:
            return self.to_sign_in()
        if not self.accounts.get(session.account_id).has_role("operator"):
            return self.message("operators_only", status=403)
        return None
