"""Sign-in, set-up, binding and my apps, as a person and as somebody who forges forms."""

from __future__ import annotations

import pyotp
import pytest
import requests

from fhir_bridge import clock
from fhir_bridge.accounts import Binding
from fhir_bridge.cli.serve import set_up_line
from tests.smart.cases_oauth import later
from tests.smart.site import PASSWORD, Browser, Launch, forget_tries, running


@pytest.fixture(autouse=True)
def _fresh(site):
    """No waits from the test before."""
    forget_tries(site)


@pytest.mark.parametrize(
    "path", ["/", "/console/residents", "/console/quarantine", "/sign-in/account", "/sign-in/apps"]
)
def test_every_page_leads_to_sign_in_and_back(site, path):
    """Nothing is shown before."""
    browser = Browser(site)
    page = browser.open(path)
    assert 'name="password"' in page.text
    page = browser.sign_in("op")
    assert (page.status_code, page.url) == (200, f"{site.root}{path}")


def test_the_service_refuses_every_request_without_a_token(site):
    """401 and how to get one; the statement and the well-known addresses are for all."""
    for place in (
        "Patient",
        "Patient/p1",
        "Observation?_summary=count",
        "",
        "_history",
        "openapi.json",
    ):
        answer = site.get(place)
        assert answer.status_code == 401, place
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), place
    for place in (
        "metadata",
        ".well-known/smart-configuration",
        ".well-known/openid-configuration",
    ):
        assert site.get(place).status_code == 200
    assert requests.get(f"{site.root}/health", timeout=120).status_code == 200


def test_a_session_opens_no_fhir_request(site):
    """A page of another origin can send a cookie, never a token."""
    browser = Browser(site)
    browser.sign_in("op")
    assert browser.web.get(f"{site.base}/Patient", timeout=120).status_code == 401


@pytest.mark.parametrize("name", ["zhang", "nobody-at-all", "Zhang"])
def test_a_wrong_password_says_the_same_of_every_name(site, name):
    """The page is the same but for the token of its form."""
    browser = Browser(site)
    page = browser.sign_in(name, "wrong password")
    assert page.status_code == 401
    assert "not right, or there were too many tries" in browser.text
    assert name not in page.text


def test_the_cookie_is_of_this_host_and_no_script_reads_it(site):
    """HttpOnly, SameSite; over https with the prefix that ties it to the host."""
    browser = Browser(site)
    browser.open("/sign-in")
    answer = browser.web.post(
        f"{site.root}/sign-in",
        {"token": _token(browser), "name": "zhang", "password": PASSWORD},
        allow_redirects=False,
        timeout=120,
    )
    cookie = next(each for each in answer.raw.headers.getlist("Set-Cookie") if "session" in each)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie


def _token(browser: Browser) -> str:
    return browser.page.text.split('name="token" value="')[1].split('"')[0]


def test_over_https_the_cookie_is_secure_and_tied_to_the_host(tmp_path):
    """A site behind TLS gives no cookie that travels without it."""
    with running(tmp_path, base_url="https://record.example/fhir") as site:
        site.person("op", Binding("operator"))
        page = requests.get(f"{site.root}/sign-in", timeout=120)
        form = page.text.split('name="token" value="')[1].split('"')[0]
        cookie = page.headers["Set-Cookie"].split(";")[0]
        answer = requests.post(
            f"{site.root}/sign-in",
            {"token": form, "name": "op", "password": PASSWORD},
            headers={"Cookie": cookie},
            allow_redirects=False,
            timeout=120,
        )
        said = next(each for each in answer.raw.headers.getlist("Set-Cookie") if "session" in each)
    assert said.startswith("__Host-")
    assert "Secure" in said
    assert "Secure" in page.headers["Set-Cookie"]


def test_signing_in_makes_a_new_session_whatever_the_browser_held(site):
    """Nobody hands out a session before and uses it after."""
    browser = Browser(site)
    browser.web.cookies.set("fhir_bridge_session", "x" * 43, domain="127.0.0.1", path="/")
    browser.sign_in("zhang")
    first = browser.web.cookies.get("fhir_bridge_session", domain="127.0.0.1")
    browser.open("/sign-in")
    browser.sign_in("zhang")
    second = browser.web.cookies.get("fhir_bridge_session", domain="127.0.0.1")
    assert len({"x" * 43, first, second}) == 3
    assert site.accounts.sessions.find(first) is None


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in",
        "/sign-in/out",
        "/sign-in/bind",
        "/sign-in/password",
        "/sign-in/apps/take-back",
        "/auth/decide",
    ],
)
def test_a_form_that_is_not_ours_changes_nothing(site, path):
    """Neither without a token nor with one of another browser."""
    browser, other = Browser(site), Browser(site)
    browser.sign_in("zhang")
    other.open("/sign-in")
    for token in ("", _token(other), "x" * 64):
        form = {"token": token, "name": "zhang", "password": PASSWORD, "answer": "allow"}
        answer = browser.web.post(f"{site.root}{path}", form, allow_redirects=False, timeout=120)
        assert answer.status_code == 403
    assert "My account" in browser.open("/sign-in/account").text or browser.page.status_code == 200


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(site, target):
    """``next`` is a path of this site or nothing."""
    browser = Browser(site)
    browser.open("/sign-in", params={"next": target})
    page = browser.sign_in("op")
    assert page.url == f"{site.root}/sign-in/account"


def test_a_second_factor_is_taken_proven_and_asked_for(site):
    """The password alone opens nothing any more."""
    site.person("careful", Binding("resident", patient="p1"))
    browser = Browser(site)
    browser.sign_in("careful")
    page = browser.open("/sign-in/second-factor")
    secret = page.text.split('name="secret" value="')[1].split('"')[0]
    assert browser.send(code="000000").status_code == 400
    secret = browser.page.text.split('name="secret" value="')[1].split('"')[0]
    browser.send(code=pyotp.TOTP(secret).at(clock.now()))
    assert "The second factor is on" in browser.text

    again = Browser(site)
    page = again.sign_in("careful")
    assert 'name="code"' in page.text
    assert 'name="password"' in again.open("/sign-in/account").text
    again.open("/sign-in/code")
    assert again.send(code="000000").status_code == 401
    with later(seconds=31):
        again.send(code=pyotp.TOTP(secret).at(clock.now()))
        assert "Careful" in again.open("/sign-in/account").text


def test_the_first_operator_sets_up_by_the_printed_link(tmp_path):
    """Once; then the link is no more, and the next start prints none."""
    with running(tmp_path) as site:
        line = set_up_line(site.services)
        path = line.split(site.root)[1]
        browser = Browser(site)
        browser.open(path)
        assert browser.send(name="chief", password="short").status_code == 400
        page = browser.send(name="chief", password=PASSWORD)
        assert "Operator" in page.text
        assert Browser(site).open(path).status_code == 404
        assert set_up_line(site.services) == ""
        assert browser.open("/").status_code == 200


def test_a_link_of_an_account_sets_its_password_once(site):
    """As the operator hands it out."""
    account = site.accounts.add("fresh")
    link = site.accounts.codes.set_up_link(account.id)
    browser = Browser(site)
    browser.open(f"/sign-in/set-up?link={link}")
    page = browser.send(password=PASSWORD)
    assert "no record and no office yet" in page.text
    page = Browser(site).sign_in("fresh")
    assert (page.status_code, page.url) == (200, f"{site.root}/sign-in/account")
    assert Browser(site).open(f"/sign-in/set-up?link={link}").status_code == 404


def test_number_and_code_bind_an_account_to_its_record(site):
    """One without the other, or twice, binds nobody."""
    site.person("unbound")
    system = next(iter(site.services.gate.smart and _systems(site)))
    code = site.accounts.codes.binding_code(f"{system}|X1", Binding("resident", patient="p1"))
    browser = Browser(site)
    browser.sign_in("unbound")
    browser.open("/sign-in/bind")
    assert browser.send(number="X2", code=code).status_code == 400
    assert browser.send(number="X1", code="AAAAA-AAAAA").status_code == 400
    assert "You are bound" in browser.send(number="X1", code=code).text
    (binding,) = site.accounts.by_name("unbound").bindings
    assert (binding.role, binding.patient) == ("resident", "p1")
    browser.open("/sign-in/bind")
    assert browser.send(number="X1", code=code).status_code == 400


def _systems(site):
    from fhir_bridge.identity import load_rules

    return load_rules(site.services.artifacts).verified


def test_a_new_password_needs_the_present_one_and_ends_all_else(site):
    """Other sessions and app grants are over, the own one goes on."""
    site.person("changing", Binding("resident", patient="p1"))
    other, browser, launch = Browser(site), Browser(site), Launch(site)
    other.sign_in("changing")
    token = launch.tokens("changing")["refresh_token"]
    browser.sign_in("changing")
    browser.open("/sign-in/password")
    assert browser.send(present="wrong", password="another 密码 of length").status_code == 400
    page = browser.send(present=PASSWORD, password="another 密码 of length")
    assert "The password is changed" in page.text
    assert 'name="password"' in other.open("/sign-in/account").text
    assert launch.refresh(token).json()["error"] == "invalid_grant"


def test_an_app_is_taken_back_and_asks_anew(site):
    """The list says what it may; afterwards it may nothing."""
    browser, launch = Browser(site), Launch(site, "other")
    browser.sign_in("li")
    token = launch.redeem(launch.code(browser=browser)).json()["refresh_token"]
    page = browser.open("/sign-in/apps")
    assert "App other" in page.text
    assert "also when you are not there" in page.text
    assert "App other" not in browser.send().text
    assert launch.refresh(token).json()["error"] == "invalid_grant"
    assert "Let App other in?" in launch.ask(browser).text


def test_a_remembered_consent_is_not_asked_again_until_it_grows(site):
    """The same scopes go through, one more is shown."""
    browser = Browser(site)
    browser.sign_in("zhang")
    small = Launch(site, "other", "launch/patient patient/Observation.rs")
    assert small.code(browser=browser)
    assert (
        small.ask(browser).headers.get("Location", "").startswith("https://app.example/back?code=")
    )
    grown = Launch(site, "other", "launch/patient patient/Observation.rs patient/Patient.rs")
    assert "Let App other in?" in grown.ask(browser).text


def test_a_guardian_chooses_whose_record(site):
    """Self or child; whom they may not see cannot be chosen by writing a number."""
    browser, launch = Browser(site), Launch(site, "other")
    launch.ask(browser)
    page = browser.sign_in("parent")
    assert "王五" in page.text
    assert "张小" in page.text
    assert "李四" not in page.text
    assert browser.send(1, patient="p2").status_code == 403
    launch.ask(browser)
    browser.send(1, patient="p3")
    assert "张小" in browser.text
    said = launch.redeem(
        browser.send(answer="allow").headers["Location"].split("code=")[1].split("&")[0]
    )
    assert said.json()["patient"] == "p3"


def test_whoever_has_no_record_is_told_so(site):
    """No code without a patient."""
    browser = Browser(site)
    Launch(site).ask(browser)
    page = browser.sign_in("nobody")
    assert page.status_code == 403
    assert "no record that you could open" in browser.text


def test_pages_speak_both_languages(site):
    """As the browser wants, and by the link on the page."""
    browser = Browser(site)
    browser.web.headers["Accept-Language"] = "zh-CN"
    assert "登录" in browser.open("/sign-in").text
    assert "Sign in" in browser.open("/sign-in?lang=en").text


def test_the_consent_page_may_end_at_the_app_and_nowhere_else(site):
    """A browser holds the redirect after a form to the policy of the page."""
    browser = Browser(site)
    page = Launch(site, "symmetric").ask(browser)
    policy = page.headers["Content-Security-Policy"]
    assert "form-action 'self' https://app.example;" in policy
    assert "form-action 'self';" in browser.open("/sign-in").headers["Content-Security-Policy"]


def test_an_operator_registers_an_app_and_ends_it(site):
    """The secret is shown once; what cannot be registered says why; others see nothing of it."""
    browser = Browser(site)
    browser.sign_in("op")
    browser.open("/sign-in/registered")
    last = browser.page.text.count("<form") - 1
    said = {"name": "Diary", "redirects": "javascript:x", "confidential": "yes"}
    assert browser.send(last, **said).status_code == 400
    assert "a private scheme has a dot" in browser.text
    browser.send(last, **said | {"redirects": "https://diary.example/back"})
    (made,) = (each for each in site.smart.apps.list() if each.name == "Diary")
    assert made.kind == "symmetric"
    assert made.client_id in browser.text
    assert "shown this once" in browser.text
    browser.open("/sign-in/registered")
    assert "shown this once" not in browser.text
    forms = browser.page.text.split("<form")[1:]
    browser.send(next(n for n, form in enumerate(forms) if f'value="{made.client_id}"' in form))
    assert site.smart.apps.get(made.client_id) is None

    other = Browser(site)
    other.sign_in("zhang")
    assert other.open("/sign-in/registered").status_code == 403
