"""Who may sign in, and what whoever may not learns."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
from argon2 import PasswordHasher

from fhir_bridge import clock
from fhir_bridge.accounts import Accounts, Binding, Passwords, fresh_totp_secret
from fhir_bridge.errors import BridgeError

PASSWORD = "long enough: 密码 9"


def _later(**by: float):
    return clock.at(clock.now() + timedelta(**by))


def test_the_right_password_opens_the_account_and_its_hash_is_argon2id(accounts, store):
    """The right password opens the account and its hash is argon2id."""
    made = accounts.add("Li.Na", display="李娜", password=PASSWORD)

    assert accounts.check("ＬＩ.na", PASSWORD, "10.0.0.1") == made
    with store.reading() as session:
        (kept,) = session.one("SELECT password FROM account")
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "li.na-li.na-li", "x" * 300, ""])
def test_a_weak_password_is_refused(accounts, password):
    """A weak password is refused."""
    account = accounts.add("li.na")
    with pytest.raises(BridgeError) as refused:
        accounts.set_password(account.id, password)
    assert refused.value.code == "FB-7303"


def test_a_name_is_taken_once_however_it_is_written(accounts):
    """A name is taken once however it is written."""
    accounts.add("li.na")
    with pytest.raises(BridgeError) as refused:
        accounts.add("LI.NA")
    assert refused.value.code == "FB-7302"


class _Counting(PasswordHasher):
    """Counts the work that is done."""

    verified = 0

    def verify(self, hash, password):  # noqa: A002 - the parent's name
        """Verify."""
        type(self).verified += 1
        return super().verify(hash, password)


def test_unknown_locked_wrong_and_unset_are_one_answer_for_the_same_work(store):
    """Unknown locked wrong and unset are one answer for the same work."""
    accounts = Accounts(store.storage, b"secret", Passwords(_Counting(1, 64, 1)))
    accounts.add("li.na", password=PASSWORD)
    accounts.add("unset")
    locked = accounts.add("locked", password=PASSWORD)
    accounts.lock(locked.id)
    work = []
    for name in ("nobody", "li.na", "unset", "not a name!"):
        before = _Counting.verified
        assert accounts.check(name, "wrong password", "10.0.0.1") is None
        work.append(_Counting.verified - before)
    assert accounts.check("locked", PASSWORD, "10.0.0.1") is None

    assert work == [1, 1, 1, 1]


def test_wrong_tries_wait_ever_longer_and_a_right_one_waits_too(accounts):
    """Wrong tries wait ever longer and a right one waits too."""
    accounts.add("li.na", password=PASSWORD)
    for _ in range(6):
        assert accounts.check("li.na", "wrong password", "10.0.0.1") is None

    assert accounts.check("li.na", PASSWORD, "10.0.0.2") is None
    with _later(seconds=1.5):
        assert accounts.check("li.na", "wrong password", "10.0.0.1") is None
        with _later(seconds=1.5):
            assert accounts.check("li.na", PASSWORD, "10.0.0.2") is None
        with _later(seconds=2.5):
            assert accounts.check("li.na", PASSWORD, "10.0.0.2") is not None
            for _ in range(5):  # the count has begun anew
                accounts.check("li.na", "wrong password", "10.0.0.1")
            assert accounts.check("li.na", PASSWORD, "10.0.0.2") is not None


def test_a_name_that_nobody_has_waits_like_one_that_somebody_has(accounts, store):
    """A name that nobody has waits like one that somebody has."""
    for _ in range(6):
        accounts.check("nobody", "wrong password", "10.0.0.1")
    with store.reading() as session:
        rows = session.all("SELECT key, count FROM sign_in_delay ORDER BY key")
    assert rows == [("account:nobody", 6), ("address:10.0.0.1", 6)]


def test_an_address_that_tries_many_names_waits(accounts):
    """An address that tries many names waits."""
    accounts.add("li.na", password=PASSWORD)
    for number in range(31):
        accounts.check(f"nobody{number}", "wrong password", "10.0.0.1")

    assert accounts.check("li.na", PASSWORD, "10.0.0.1") is None
    assert accounts.check("li.na", PASSWORD, "10.0.0.2") is not None


def test_tries_side_by_side_do_not_outrun_the_count(accounts, store):
    """Tries side by side do not outrun the count."""
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: accounts.check("nobody", "wrong password", "a"), range(24)))
    with store.reading() as session:
        (count,) = session.one("SELECT count FROM sign_in_delay WHERE key = 'account:nobody'")
    assert count == 6


def test_a_code_of_the_authenticator_counts_once_and_is_sealed_in_the_database(accounts, store):
    """A code of the authenticator counts once and is sealed in the database."""
    account, secret = accounts.add("li.na", password=PASSWORD), fresh_totp_secret()
    accounts.set_second_factor(account.id, secret)
    code = pyotp.TOTP(secret).at(clock.now())

    assert accounts.get(account.id).second_factor
    assert accounts.check_second(account.id, code)
    assert not accounts.check_second(account.id, code)
    with store.reading() as session:
        (kept,) = session.one("SELECT totp FROM account")
    assert secret.encode() not in bytes(kept)


def test_codes_of_another_time_or_secret_are_refused_and_tries_wait(accounts):
    """Codes of another time or secret are refused and tries wait."""
    account, secret = accounts.add("li.na", password=PASSWORD), fresh_totp_secret()
    accounts.set_second_factor(account.id, secret)
    old = pyotp.TOTP(secret).at(clock.now() - timedelta(minutes=5))
    others = pyotp.TOTP(fresh_totp_secret()).at(clock.now())
    for code in (old, others, "", "000000 ", "é", "x"):
        assert not accounts.check_second(account.id, code)

    assert not accounts.check_second(account.id, pyotp.TOTP(secret).at(clock.now()))
    with _later(seconds=3):
        assert accounts.check_second(account.id, pyotp.TOTP(secret).at(clock.now()))


def test_a_site_with_another_secret_cannot_open_what_is_sealed(accounts, store):
    """A site with another secret cannot open what is sealed."""
    account = accounts.add("li.na", password=PASSWORD)
    accounts.set_second_factor(account.id, fresh_totp_secret())
    with pytest.raises(BridgeError) as refused:
        Accounts(store.storage, b"another").check_second(account.id, "123456")
    assert refused.value.code == "FB-7306"


def test_what_an_account_stands_for_is_kept_once(accounts):
    """What an account stands for is kept once."""
    account = accounts.add("li.na")
    for _ in range(2):
        accounts.bind(account.id, Binding("resident", patient="p1", proof="identifier and code"))
    accounts.bind(account.id, Binding("doctor", practitioner="d", organization="o"))

    bound = accounts.by_name("li.na").bindings
    assert [(each.role, each.patient, each.practitioner) for each in bound] == [
        ("resident", "p1", ""),
        ("doctor", "", "d"),
    ]
    assert bound[0].proof == "identifier and code"
    assert bound[0].since


def test_the_last_operator_can_be_neither_locked_nor_removed(accounts):
    """The last operator can be neither locked nor removed."""
    first = accounts.add("first", password=PASSWORD)
    accounts.bind(first.id, Binding("operator"))
    second = accounts.add("second")
    accounts.bind(second.id, Binding("operator"))
    for end in (accounts.lock, accounts.remove):
        with pytest.raises(BridgeError) as refused:
            end(first.id)
        assert refused.value.code == "FB-7305"

    accounts.set_password(second.id, PASSWORD)
    accounts.remove(first.id)
    assert [each.name for each in accounts.list()] == ["second"]
