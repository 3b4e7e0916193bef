"""What all pages of sign-in share: words, forms that prove where they come from, headers."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Response, g, make_response, redirect, render_template, request

from fhir_bridge.accounts import Session, form_token
from fhir_bridge.errors import BridgeError
from fhir_bridge.sign_in.services import SignInServices

__all__ = ["Pages", "Words", "local_path", "texts", "with_query"]

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{targets}; "
    "base-uri 'none'; frame-ancestors 'none'"
)


class Words:
    """The words of one language; an unknown key is a bug and raises KeyError."""

    def __init__(self, language: str, table: Mapping[str, str]) -> None:
        self.language, self._table = language, table
        self.other = "en" if language == "zh-CN" else "zh-CN"

    def __call__(self, key: str, **places: object) -> str:
        """The words for `key`, with `places` filled in."""
        return self._table[key].format(**places)

    def get(self, key: str, fallback: str) -> str:
        """The words for `key`, or `fallback` where there are none."""
        return self._table.get(key, fallback)


@cache
def texts(language: str) -> Words:
    """The words of a language (``zh-CN`` or ``en``)."""
    text = files(__package__).joinpath("texts.csv").read_text(encoding="utf-8")
    column = "en" if language == "en" else "zh"
    return Words(language, {row["key"]: row[column] for row in csv.DictReader(text.splitlines())})


class Pages:
    """Reads a request and prints a page, with the services behind."""

    def __init__(self, services: SignInServices) -> None:
        self.services = services
        self.gate, self.accounts, self.smart = services.gate, services.accounts, services.smart

    def render(
        self, template: str, *, status: int = 200, targets: str = "", **values: Any
    ) -> Response:
        """A page with a form token; `targets` are origins that its form may end at."""
        cookie = request.cookies.get(form_token.COOKIE) or form_token.fresh_cookie()
        token = form_token.sign(self.services.secret, cookie)
        page = render_template(
            f"sign_in/{template}", words=g.words, token=token, here=_here, **values
        )
        response = make_response(page, status)
        response.set_cookie(
            form_token.COOKIE, cookie, httponly=True, samesite="Lax", secure=self.gate.secure
        )
        response.headers["Content-Security-Policy"] = _POLICY.format(targets=targets)
        return response

    def message(self, key: str, *, status: int = 400, **places: object) -> Response:
        """A page of one sentence."""
        return self.render("message.html", status=status, sentence=g.words(key, **places))

    def require_own_form(self) -> None:
        """Raises BridgeError FB-4203 for a form that did not come from a page of ours."""
        cookie = request.cookies.get(form_token.COOKIE)
        if not form_token.valid(self.services.secret, cookie, request.form.get("token")):
            raise BridgeError("FB-4203")

    def session(self) -> Session | None:
        """Who is signed in, wholly."""
        session = self.gate.session(request)
        return session if session is not None and session.whole else None

    def go(self, path: str) -> Response:
        """The browser goes on with GET (303)."""
        return make_response(redirect(path, 303))

    def to_sign_in(self) -> Response:
        """First sign in, then come back here."""
        here = request.full_path.rstrip("?") if request.method == "GET" else request.path
        return self.go(with_query("/sign-in", next=here))

    def targets(self, path: str) -> str:
        """Where the app of an authorization request returns to, for the policy of a page with a form.

        Browsers hold redirects after a form to the policy of the page that the form stood on.
        """
        if not path.startswith("/auth/authorize?"):
            return ""
        client_id = dict(parse_qsl(urlsplit(path).query)).get("client_id", "")
        app = self.smart.apps.get(client_id)
        if app is None:
            return ""
        schemes = {
            f"{urlsplit(each).scheme}:" for each in app.redirect_uris if not urlsplit(each).netloc
        }
        return "".join(f" {each}" for each in sorted(app.origins | schemes))


def local_path(text: str, otherwise: str = "/sign-in/account") -> str:
    r"""`text` when it is a path of this site, else `otherwise`: nobody is sent elsewhere.

    >>> local_path("/console?x=1"), local_path("//evil.example"), local_path("/\\evil.example")
    ('/console?x=1', '/sign-in/account', '/sign-in/account')
    """
    is_path = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return text if is_path and text.isascii() and text.isprintable() else otherwise


def with_query(path: str, **values: str) -> str:
    """A path with parameters."""
    return f"{path}?{urlencode(values)}"


def _here(**changes: str) -> str:
    return with_query(request.path, **(dict(request.args) | changes))
