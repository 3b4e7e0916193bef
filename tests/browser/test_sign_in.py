"""A person lets an app at a record in a real browser: sign in, choose, agree, and back at the app."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.browser.chromium import Chromium, open_chromium
from tests.smart.site import PASSWORD, Launch, Site, fill, running

pytestmark = pytest.mark.browser

WIDTHS = {"desk": 1280, "phone": 390}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A closed site with people and apps."""
    with running(tmp_path_factory.mktemp("site")) as site:
        fill(site)
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    """A headless browser; skipped where there is none."""
    program = os.environ.get("FHIR_BRIDGE_TEST_CHROMIUM")
    if not program:
        pytest.skip("no Chromium (set FHIR_BRIDGE_TEST_CHROMIUM)")
    with open_chromium(program) as opened:
        yield opened


@pytest.fixture
def app_address() -> Iterator[str]:
    """A page of the app, where the browser comes back to."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>App</title><p>back at the app</p>")

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/back"
    server.shutdown()
    server.server_close()


def _fill(browser: Chromium, **fields: str) -> None:
    for name, value in fields.items():
        browser.measure(f"document.querySelector('[name={name}]').value = {json.dumps(value)}")


def _click(browser: Chromium, selector: str) -> None:
    browser.follow(f"document.querySelector({json.dumps(selector)}).click()")


def _look(browser: Chromium, name: str) -> None:
    """The page fits its width, and is kept as a picture where somebody wants to look."""
    assert browser.measure("document.documentElement.scrollWidth <= innerWidth"), name
    folder = os.environ.get("FHIR_BRIDGE_TEST_PICTURES")
    if folder:
        browser.picture(Path(folder) / f"{name}.png")


@pytest.mark.parametrize("device", WIDTHS)
def test_a_guardian_signs_in_chooses_agrees_and_is_back_at_the_app(
    site, browser, app_address, device
):
    """By clicks alone; the policy of the pages lets the browser go back to the app."""
    site.register(device, kind="public", owner="Example Ltd", redirect_uris=(app_address,))
    launch = Launch(site, device)
    width = WIDTHS[device]
    browser.ask("Network.clearBrowserCookies")
    browser.visit(f"{site.root}{launch.path(redirect_uri=app_address)}", width=width)
    _look(browser, f"sign-in-{device}")
    _fill(browser, name="parent", password="wrong password")
    _click(browser, "form button")
    assert browser.measure("document.querySelector('.refused') !== null")
    _fill(browser, name="parent", password=PASSWORD)
    _click(browser, "form button")
    _look(browser, f"choose-{device}")
    _click(browser, "button[name=patient][value=p3]")
    _look(browser, f"consent-{device}")
    assert "张小" in browser.measure("document.body.innerText")
    _click(browser, "button[name=answer][value=allow]")
    address = browser.measure("location.href")
    assert address.startswith(app_address), address
    assert "code=" in address
    assert browser.measure("document.body.innerText") == "back at the app"
    refused = [
        each for each in browser.reported("Log.entryAdded") if "Content Security" in str(each)
    ]
    assert refused == []

    code = address.split("code=")[1].split("&")[0]
    said = launch.redeem(code, redirect_uri=app_address).json()
    assert said["patient"] == "p3"
    browser.visit(f"{site.root}/sign-in/apps", width=width)
    _look(browser, f"my-apps-{device}")
    browser.visit(f"{site.root}/sign-in/account", width=width)
    _look(browser, f"account-{device}")
