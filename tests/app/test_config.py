"""Settings: every value checked, nothing misspelt ignored, the site's secret kept."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fhir_bridge.config import SETTINGS, load_settings, site_secret
from fhir_bridge.errors import BridgeError


def test_every_default_is_a_value():
    """A site without any variable starts, and its addresses agree with each other."""
    settings = load_settings({})

    assert ("127.0.0.1", 8080) == (settings.host, settings.port)
    assert "http://127.0.0.1:8080/fhir" == settings.fhir_base
    assert f"sqlite:///{Path('var').resolve() / 'record.sqlite3'}" == settings.database_url


@pytest.mark.parametrize(
    "name", ["FHIR_BRIDGE_PROT", "FHIR_BRIDGE_", "FHIR_BRIDGE_port", "FHIR_BRIDGE_TESTS"]
)
def test_an_unknown_variable_is_refused_by_name(name):
    """A misspelt setting that is ignored leaves a hospital with the default."""
    with pytest.raises(BridgeError) as refused:
        load_settings({name: "1"})

    assert "FB-9002" == refused.value.code
    assert name in str(refused.value)


@pytest.mark.parametrize("name", ["PATH", "FHIR_BRIDGE_SHARED", "FHIR_BRIDGE_TEST_POSTGRESQL"])
def test_other_variables_are_none_of_ours(name):
    """The environment of a process holds much, and the tests have variables of their own."""
    assert load_settings({}) == load_settings({name: "anything"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "http"),
        ("PORT", ""),
        ("THREADS", "0"),
        ("THREADS", "-1"),
        ("BATCH", "many"),
        ("MAX_REQUEST_BYTES", "1e6"),
        ("ACCESS", "local"),
        ("LANGUAGE", "de"),
        ("LOG_LEVEL", "info"),
        ("REFERENTIAL_INTEGRITY", "yes"),
        ("MODELS_CHECK", "never"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(name, text):
    """The code is FB-9002 and the sentence names the variable."""
    with pytest.raises(BridgeError) as refused:
        load_settings({f"FHIR_BRIDGE_{name}": text})

    assert "FB-9002" == refused.value.code
    assert f"FHIR_BRIDGE_{name}" in str(refused.value)


def test_the_old_word_of_access_is_refused_with_the_new_one():
    """Who upgrades reads what to write."""
    with pytest.raises(BridgeError, match="local is called open now"):
        load_settings({"FHIR_BRIDGE_ACCESS": "local"})


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.7", "::", "record.example"])
def test_an_open_record_is_not_served_to_other_machines(host):
    """Open means: without signing in, from this machine."""
    with pytest.raises(BridgeError, match="closed"):
        load_settings({"FHIR_BRIDGE_ACCESS": "open", "FHIR_BRIDGE_HOST": host})
    for sound in ({"FHIR_BRIDGE_ACCESS": "closed"}, {"FHIR_BRIDGE_HOST": "::1"}):
        load_settings({"FHIR_BRIDGE_HOST": host} | sound)


def test_what_is_chosen_stands_over_the_environment():
    """An option of a command wins; one that was not given (None) does not."""
    environment = {"FHIR_BRIDGE_PORT": "1234", "FHIR_BRIDGE_LANGUAGE": "en"}
    settings = load_settings(environment, port=4321, language=None)

    assert (4321, "en") == (settings.port, settings.language)


def test_several_overlays_are_separated_as_in_path(tmp_path):
    """The last folder wins (see Artifacts)."""
    settings = load_settings({"FHIR_BRIDGE_OVERLAY": f"{tmp_path}/a:{tmp_path}/b"})

    assert (tmp_path / "a", tmp_path / "b") == settings.overlay


def test_no_two_settings_share_a_name():
    """Each is one variable with a purpose."""
    assert len(SETTINGS) == len({setting.variable for setting in SETTINGS})
    assert all(setting.purpose for setting in SETTINGS)


def test_the_secret_is_made_once_and_for_the_owner_alone(tmp_path):
    """A page link made before a restart holds after it; nobody else on the machine can make one."""
    settings = load_settings({}, data=tmp_path / "new" / "var")
    secret = site_secret(settings)

    assert len(secret) >= 32
    assert secret == site_secret(settings)
    assert 0o600 == stat.S_IMODE((settings.data / "secret").stat().st_mode)


def test_two_sites_have_two_secrets(tmp_path):
    """A secret is random, not derived from anything known."""
    secrets = {site_secret(load_settings({}, data=tmp_path / name)) for name in "ab"}

    assert 2 == len(secrets)


def test_a_secret_that_is_set_is_used_and_not_written_down(tmp_path):
    """Several processes over one PostgreSQL share theirs by a setting."""
    settings = load_settings({"FHIR_BRIDGE_SECRET": "s3"}, data=tmp_path)

    assert b"s3" == site_secret(settings)
    assert [] == list(tmp_path.iterdir())


def test_processes_that_start_together_share_one_secret(tmp_path):
    """Whichever is first makes it, and nothing but it is left in the folder."""
    settings = load_settings({}, data=tmp_path)
    with ThreadPoolExecutor(8) as starts:
        found = set(starts.map(lambda _: site_secret(settings), range(64)))

    assert 1 == len(found)
    assert [tmp_path / "secret"] == list(tmp_path.iterdir())


def test_an_empty_secret_file_is_refused(tmp_path):
    """With an empty key anybody could sign a link."""
    (tmp_path / "secret").touch(mode=0o600)
    with pytest.raises(BridgeError) as refused:
        site_secret(load_settings({}, data=tmp_path))

    assert "FB-9002" == refused.value.code
