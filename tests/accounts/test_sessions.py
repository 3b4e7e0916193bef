"""Sessions and one-time codes: how long they live, and that each opens once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fhir_bridge import clock
from fhir_bridge.accounts import Binding


def _later(**by: float):
    return clock.at(clock.now() + timedelta(**by))


@pytest.fixture
def account(accounts):
    """Account."""
    return accounts.add("li.na", password="long enough: 密码 9")


def test_a_session_is_found_by_its_secret_which_the_database_does_not_hold(
    accounts, account, store
):
    """A session is found by its secret which the database does not hold."""
    secret = accounts.sessions.begin(account.id, ("pwd",), whole=True)
    found = accounts.sessions.find(secret)

    assert (found.account_id, found.whole, found.methods) == (account.id, True, ("pwd",))
    assert len(secret) == 43  # 256 bits
    with store.reading() as session:
        (kept,) = session.one("SELECT digest FROM account_session")
    assert secret.encode() not in bytes(kept)
    assert accounts.sessions.find(secret[:-1] + "x") is None
    assert accounts.sessions.find("") is None


def test_a_session_ends_unused_after_half_an_hour_and_used_after_twelve(accounts, account):
    """A session ends unused after half an hour and used after twelve."""
    secret = accounts.sessions.begin(account.id, ("pwd",), whole=True)
    with _later(minutes=31):
        assert accounts.sessions.find(secret) is None
    begun = clock.now()
    for minutes in range(20, 12 * 60, 20):
        with clock.at(begun + timedelta(minutes=minutes)):
            assert accounts.sessions.find(secret) is not None
    with clock.at(begun + timedelta(hours=12, minutes=1)):
        assert accounts.sessions.find(secret) is None
        assert not accounts.sessions.lives(_digest(accounts, secret, begun))


def _digest(accounts, secret, at):
    with clock.at(at + timedelta(hours=11, minutes=45)):
        return accounts.sessions.find(secret).digest


def test_each_stage_of_signing_in_has_a_secret_of_its_own(accounts, account):
    """Each stage of signing in has a secret of its own."""
    half = accounts.sessions.begin(account.id, ("pwd",), whole=False)
    assert not accounts.sessions.find(half).whole
    whole = accounts.sessions.begin(account.id, ("pwd", "otp"), whole=True, instead_of=half)

    assert accounts.sessions.find(half) is None
    assert accounts.sessions.find(whole).whole


def test_half_a_sign_in_waits_five_minutes(accounts, account):
    """Half a sign in waits five minutes."""
    half = accounts.sessions.begin(account.id, ("pwd",), whole=False)
    with _later(minutes=6):
        assert accounts.sessions.find(half) is None


@pytest.mark.parametrize("end", ["lock", "remove", "password", "sign out"])
def test_whoever_is_locked_removed_or_has_a_new_password_is_out_at_once(accounts, account, end):
    """Whoever is locked removed or has a new password is out at once."""
    other = accounts.add("other", password="long enough: 密码 9")
    secret = accounts.sessions.begin(account.id, ("pwd",), whole=True)
    others = accounts.sessions.begin(other.id, ("pwd",), whole=True)
    if end == "lock":
        accounts.lock(account.id)
    elif end == "remove":
        accounts.remove(account.id)
    elif end == "password":
        accounts.set_password(account.id, "another 密码 of length")
    else:
        accounts.sessions.end(secret)

    assert accounts.sessions.find(secret) is None
    assert accounts.sessions.find(others) is not None


def test_a_set_up_link_is_used_once_and_replaced_by_the_next(accounts, account):
    """A set up link is used once and replaced by the next."""
    first = accounts.codes.set_up_link(account.id)
    second = accounts.codes.set_up_link(account.id)
    of_nobody = accounts.codes.set_up_link(role="operator")

    assert accounts.codes.set_up(first) is None
    found = accounts.codes.set_up(second)
    assert found.account_id == account.id
    assert accounts.codes.set_up(of_nobody).role == "operator"
    assert accounts.codes.spend(found.digest)
    assert not accounts.codes.spend(found.digest)
    assert accounts.codes.set_up(second) is None
    with _later(hours=25):
        assert accounts.codes.set_up(of_nobody) is None


def test_a_binding_code_opens_with_its_number_only_and_once(accounts):
    """A binding code opens with its number only and once."""
    binding = Binding("resident", patient="p1")
    code = accounts.codes.binding_code("urn:x|11010519491231002X", binding)
    use = accounts.codes.use_binding

    assert use(("urn:x|11010519491231002Y",), code) is None
    assert use(("urn:x|11010519491231002X",), "23456-789AB") is None
    found = use(("urn:y|1", "urn:x|11010519491231002x"), code.lower().replace("-", " "))
    assert (found.role, found.patient) == ("resident", "p1")
    assert "code of the institution" in found.proof
    assert use(("urn:x|11010519491231002X",), code) is None


def test_a_binding_code_is_worth_nothing_after_two_weeks(accounts):
    """A binding code is worth nothing after two weeks."""
    code = accounts.codes.binding_code("urn:x|1", Binding("resident", patient="p1"))
    with _later(days=15):
        assert accounts.codes.use_binding(("urn:x|1",), code) is None
