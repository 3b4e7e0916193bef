"""What all pages share: the reader with its rights, templates, forms, addresses of pages.

https://flask.palletsprojects.com/en/stable/blueprints/
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Response, g, make_response, render_template, request

from fhir_bridge.accounts import form_token
from fhir_bridge.console.reader import Reader
from fhir_bridge.console.services import Services
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource

__all__ = ["MAX_ID", "PAGE_SIZE", "Page", "here", "message"]

PAGE_SIZE = 50
MAX_ID = 2**63 - 1


class Page:
    """Reads and prints for one request, with the services of the record."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def reader(self) -> Reader:
        """What reads the record with the rights of the caller."""
        access = self._services.access_for(request)
        return Reader(self._services.store, self._services.registry, access)

    def require_everything(self) -> None:
        """Counts and quarantine show all feeds: only for those who may see everything."""
        if not self._services.access_for(request).is_everything:
            raise BridgeError("FB-4201")

    def get(self, reader: Reader, resource_type: str, resource_id: str) -> Resource:
        """A resource, or FB-4001 where there is none that the caller may see."""
        found = reader.resource(resource_type, resource_id)
        if found is None:
            raise BridgeError("FB-4001", resource_type=resource_type, id=resource_id[:64])
        return found

    def following(self, cursor: str) -> str:
        """The address of the next page; "" for none."""
        return here(after=cursor) if cursor else ""

    def render(self, template: str, section: str, **values: Any) -> str:
        """A page from its template."""
        return render_template(template, section=section, words=g.words, here=here, **values)

    def with_form(self, template: str, **values: Any) -> Response:
        """A page with a form: its token, and the cookie that the token belongs to."""
        cookie = request.cookies.get(form_token.COOKIE) or form_token.fresh_cookie()
        token = form_token.sign(self._services.secret, cookie)
        response = make_response(self.render(template, "quarantine", token=token, **values))
        response.set_cookie(form_token.COOKIE, cookie, httponly=True, samesite="Strict")
        return response


def message(sentence: str, status: int) -> Response:
    """A page of one sentence."""
    page = render_template("message.html", sentence=sentence, section="", words=g.words, here=here)
    return make_response(page, status)


def here(**changes: Any) -> str:
    """The address of this page with some of its query changed; ``said`` is never kept."""
    query = {name: value for name, value in request.args.items() if name != "said"}
    return f"{request.path}?{urlencode(query | changes)}"
