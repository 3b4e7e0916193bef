"""Sign in, second factor, set-up, sign out, one's own account, binding by code."""

from __future__ import annotations

import re

from flask import Response, g, request

from fhir_bridge.accounts import Account, Binding, Limit, fresh_totp_secret, totp_address
from fhir_bridge.errors import BridgeError
from fhir_bridge.sign_in.page import Pages, local_path, with_query
from fhir_bridge.sign_in.whose import STAFF

__all__ = ["EnteringPages"]

_SECRET = re.compile(r"[A-Z2-7]{32}")


class EnteringPages(Pages):
    """The way in, and what belongs to an account."""

    def sign_in(self) -> Response:
        """``/sign-in``: name and password."""
        after = local_path(request.values.get("next", ""))
        if request.method == "GET":
            return self._form(after)
        self.require_own_form()
        name, password = request.form.get("name", ""), request.form.get("password", "")
        account = self.accounts.check(name, password, request.remote_addr or "")
        if account is None:
            return self._form(after, failed=True)
        return self._enter(account, ("pwd",), after, whole=not account.second_factor)

    def second(self) -> Response:
        """``/sign-in/code``: the number that the authenticator shows."""
        after = local_path(request.values.get("next", ""))
        session = self.gate.session(request)
        if session is None or session.whole:
            return self.go("/sign-in")
        if request.method == "GET":
            return self._code_form(after)
        self.require_own_form()
        if not self.accounts.check_second(session.account_id, request.form.get("code", "")):
            return self._code_form(after, failed=True)
        account = self.accounts.get(session.account_id)
        return self._enter(account, ("pwd", "otp"), after, whole=True)

    def sign_out(self) -> Response:
        """``/sign-in/out``: the session ends, and what apps were let do for its length."""
        self.require_own_form()
        session = self.gate.session(request)
        if session is not None:
            self.accounts.sessions.end(self.gate.secret_of(request))
            self.smart.grants.revoke_session(session.digest)
        response = self.go("/sign-in")
        self.gate.drop(response)
        return response

    def set_up(self) -> Response:
        """``/sign-in/set-up?link=``: whoever was given the link chooses a password."""
        link = request.values.get("link", "")
        found = self.accounts.codes.set_up(link)
        if found is None:
            return self.message("link_ended", status=404)
        needs_name = not found.account_id
        if request.method == "GET":
            return self.render("set_up.html", link=link, needs_name=needs_name, reason="")
        self.require_own_form()
        try:
            account = self._chosen(found.account_id, found.role, found.digest)
        except BridgeError as error:
            reason = g.words(f"refused_{error.code}")
            return self.render(
                "set_up.html", status=400, link=link, needs_name=needs_name, reason=reason
            )
        if account is None:
            return self.message("link_ended", status=404)
        return self._enter(account, ("pwd",), "/sign-in/account", whole=not account.second_factor)

    def account(self) -> Response:
        """``/sign-in/account``: who I am here, my second factor, my apps, a code to be bound."""
        session = self.session()
        if session is None:
            return self.to_sign_in()
        account = self.accounts.get(session.account_id)
        return self.render("account.html", account=account, said=request.args.get("said", ""))

    def password(self) -> Response:
        """``/sign-in/password``: a new password, for who knows the present one; all else ends."""
        session = self.session()
        if session is None:
            return self.to_sign_in()
        if request.method == "GET":
            return self.render("password.html", reason="")
        self.require_own_form()
        account = self.accounts.get(session.account_id)
        present, new = request.form.get("present", ""), request.form.get("password", "")
        if self.accounts.check(account.name, present, request.remote_addr or "") is None:
            return self.render("password.html", status=400, reason=g.words("wrong_present"))
        try:
            self.accounts.set_password(account.id, new)
        except BridgeError as error:
            reason = g.words(f"refused_{error.code}")
            return self.render("password.html", status=400, reason=reason)
        self.smart.grants.revoke_account(account.id)
        return self._enter(account, session.methods, "/sign-in/account?said=password", whole=True)

    def second_factor(self) -> Response:
        """``/sign-in/second-factor``: take an authenticator, proven by a code of it."""
        session = self.session()
        if session is None:
            return self.to_sign_in()
        account = self.accounts.get(session.account_id)
        if account.second_factor:
            return self.message("second_factor_there")
        secret = request.form.get("secret", "")
        if not _SECRET.fullmatch(secret):
            secret = fresh_totp_secret()
        if request.method == "POST":
            self.require_own_form()
            self.accounts.set_second_factor(account.id, secret)
            if self.accounts.check_second(account.id, request.form.get("code", "")):
                return self.go("/sign-in/account?said=second")
            self.accounts.set_second_factor(account.id, "")
        return self.render(
            "second_factor.html",
            status=400 if request.method == "POST" else 200,
            secret=secret,
            address=totp_address(secret, account.name),
            failed=request.method == "POST",
        )

    def bind(self) -> Response:
        """``/sign-in/bind``: an own number and the code that an institution gave."""
        session = self.session()
        if session is None:
            return self.to_sign_in()
        if request.method == "GET":
            return self.render("bind.html", failed=False)
        self.require_own_form()
        binding = self._bound(session.account_id)
        if binding is None:
            return self.render("bind.html", status=400, failed=True)
        self.accounts.bind(session.account_id, binding)
        return self.go("/sign-in/account?said=bound")

    def _bound(self, account_id: str) -> Binding | None:
        limits = [Limit(f"bind:{account_id}", 5), Limit(f"address:{request.remote_addr}", 30)]
        if not self.accounts.delays.admit(limits):
            return None
        number = request.form.get("number", "").strip()[:100]
        systems = (*self.services.rules.verified, STAFF)
        identifiers = tuple(f"{system}|{number}" for system in systems)
        code = request.form.get("code", "")[:40]
        binding = self.accounts.codes.use_binding(identifiers, code)
        if binding is not None:
            self.accounts.delays.clear(limits)
        return binding

    def _chosen(self, account_id: str, role: str, link: bytes) -> Account | None:
        """The account with its new password; None when the link was used meanwhile."""
        password, name = request.form.get("password", ""), request.form.get("name", "")
        if not self.accounts.codes.spend(link):
            return None
        try:
            if not account_id:
                account_id = self.accounts.add(name, display=name, password=password).id
                self.accounts.bind(account_id, Binding(role, proof="set up with the first link"))
            else:
                self.accounts.set_password(account_id, password)
        except BridgeError:
            self.accounts.codes.restore(link)
            raise
        return self.accounts.get(account_id)

    def _enter(
        self, account: Account, methods: tuple[str, ...], after: str, *, whole: bool
    ) -> Response:
        """A fresh session in the browser, whatever it held before."""
        old = self.gate.secret_of(request)
        secret = self.accounts.sessions.begin(account.id, methods, whole=whole, instead_of=old)
        response = self.go(after if whole else with_query("/sign-in/code", next=after))
        self.gate.keep(response, secret)
        return response

    def _form(self, after: str, *, failed: bool = False) -> Response:
        targets = self.targets(after)
        status = 401 if failed else 200
        return self.render(
            "sign_in.html", status=status, targets=targets, after=after, failed=failed
        )

    def _code_form(self, after: str, *, failed: bool = False) -> Response:
        targets = self.targets(after)
        status = 401 if failed else 200
        return self.render("code.html", status=status, targets=targets, after=after, failed=failed)
