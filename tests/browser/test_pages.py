"""Pages as a person sees them: on a desk and on a phone, in Chinese and in English."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_bridge.app import Product, build
from fhir_bridge.config import load_settings
from fhir_bridge.errors import Issue
from fhir_bridge.identity.decisions import log_detail
from fhir_bridge.journal import Message, Refusal
from tests.browser.chromium import Chromium, open_chromium
from tests.console.community import resources

pytestmark = pytest.mark.browser

WIDTHS = {"desk": 1280, "phone": 390}
PAGES = {
    "/": ("最近的问题", "Last issues"),
    "/console/residents?q=ouyang": ("欧阳秀兰", "欧阳秀兰"),
    "/console/residents/p1": ("梁医生团队", "梁医生团队"),
    "/console/resources/Observation": ("血红蛋白", "血红蛋白"),
    "/console/resources/Contract/c1": ("基础服务包", "基础服务包"),
    "/console/quarantine": ("FB-1010", "FB-1010"),
    "/console/quarantine/1": ("PID-7", "PID-7"),
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running site with one resident known to three systems, and one message in quarantine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = load_settings(
        {}, data=tmp_path_factory.mktemp("site"), port=port, workers=1, log_level="ERROR"
    )
    services = build(settings)
    services.feeds.clear()
    with services.store.transaction() as transaction:
        transaction.put_many(resources())
    with services.store.writing() as session:  # a large record: its decisions have long numbers
        session.run(
            "INSERT INTO link_log VALUES (219348761, 0, 'p1', 'hospital-his', 'k',"
            " 'verified-identifier', ?)",
            [log_detail(message="5d41402abc4b2a76", patient=resources()[0])],
        )
    services.store.quarantine.add(
        Refusal(
            Message(
                "hospital-his",
                "MSH|^~\\&|HIS|JCCH\rPID|1||P1||<script>document.title=1</script>^李四\r".encode(),
                received="2026-09-01T08:00:00Z",
                source="10.0.0.7",
            ),
            [Issue("FB-1010", "error", "PID-7 of message 8831", {"reason": "month 13"})],
        )
    )
    product = Product(services)
    product.start()
    yield f"http://127.0.0.1:{port}"
    product.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    """Chromium; a clear skip where none is named."""
    program = os.environ.get("FHIR_BRIDGE_TEST_CHROMIUM")
    if not program:
        pytest.skip("no Chromium: set FHIR_BRIDGE_TEST_CHROMIUM")
    with open_chromium(program) as opened:
        yield opened


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_reads_well_at_this_width(browser, address, path, width, language):
    """Its words are there in its language, nothing sticks out, nothing else is loaded."""
    joined = "&" if "?" in path else "?"
    browser.visit(f"{address}{path}{joined}lang={language}", width=width)
    text = browser.measure("document.body.innerText")

    assert language == browser.measure("document.documentElement.lang")
    assert PAGES[path][language == "en"] in text
    assert browser.measure("document.documentElement.scrollWidth") <= width
    assert width == browser.measure("window.innerWidth")
    assert [] == browser.reported("Log.entryAdded")
    asked = {one["request"]["url"] for one in browser.reported("Network.requestWillBeSent")}
    assert all(url.startswith(address) for url in asked)


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_nothing_is_too_small_to_read(browser, address, width):
    """Text of at least 10 pixels everywhere on the record of a resident."""
    browser.visit(f"{address}/console/residents/p1", width=width)
    smallest = browser.measure(
        "Math.min(...[...document.querySelectorAll('main *')]"
        ".filter(e => e.innerText && e.childElementCount === 0)"
        ".map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )

    assert smallest >= 10


def test_the_style_is_applied_and_the_plot_is_drawn(browser, address):
    """The content policy lets the page's own style and drawing through."""
    browser.visit(f"{address}/console/residents/p1", width=1280)

    assert "sans-serif" in browser.measure("getComputedStyle(document.body).fontFamily")
    assert (
        browser.measure("document.querySelector('.plot svg').getBoundingClientRect().width") > 200
    )


def test_what_a_sender_wrote_is_shown_and_not_run(browser, address):
    """A script in a message is text on the page of quarantine."""
    browser.visit(f"{address}/console/quarantine/1?lang=en", width=1280)

    assert "<script>" in browser.measure("document.body.innerText")
    assert "1" != browser.measure("document.title")


def test_a_resident_is_found_by_typing(browser, address):
    """From the first page: pinyin in the search field, Enter, one click."""
    browser.visit(f"{address}/console/residents?lang=zh-CN", width=390)
    browser.measure("document.querySelector('input[name=q]').focus()")
    browser.ask("Input.insertText", text="ouyangxiulan")
    browser.follow("document.querySelector('input[name=q]').form.requestSubmit()")
    browser.follow("document.querySelector('main a[href*=\"/residents/p1\"]').click()")

    assert "/console/residents/p1" in browser.measure("location.pathname")
    assert "欧阳秀兰" in browser.measure("document.body.innerText")


def test_a_picture_of_the_first_page_is_no_blank(browser, address, tmp_path: Path):
    """Pixels of more than one colour arrive on the screen."""
    browser.visit(f"{address}/?lang=zh-CN", width=1280)
    browser.picture(tmp_path / "page.png")
    data = (tmp_path / "page.png").read_bytes()

    assert b"\x89PNG" == data[:4]
    assert len(data) > 20_000
