"""The authorization code flow from end to end, and each way in which it must fail."""

from __future__ import annotations

from tests.smart.site import Browser, Launch, returned


def test_a_resident_lets_an_app_at_their_own_record(site):
    """A resident lets an app at their own record."""
    launch = Launch(site)
    browser = Browser(site)
    page = launch.ask(browser)
    assert "Sign in" in page.text
    browser.sign_in("zhang")
    assert "Let App public in?" in browser.text
    assert "张三" in browser.text
    sent = returned(browser.send(answer="allow"))
    assert (sent["state"], sent["iss"]) == (launch.state, site.base)

    answer = launch.redeem(sent["code"])
    said = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert said["token_type"] == "Bearer"
    assert said["expires_in"] <= 3600
    assert said["patient"] == "p1"
    assert set(said["scope"].split()) == set(launch.scope.split())
    token = said["access_token"]
    assert site.get("Patient/p1", token).status_code == 200
    assert site.get("Observation", token).json()["total"] == 1
    for place in ("Patient/p2", "Observation/o-p2", "Patient/p2/_history"):
        assert site.get(place, token).status_code in (403, 404)
