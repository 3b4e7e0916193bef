"""Feeds as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.ingest import find_map, load_feeds, parse_feed
from fhir_bridge.ingest.feed import find_mentions

FEED = """
title.zh = "医院"
title.en = "Hospital"
source = "hospital"
format = "hl7v2"
charset = "gb18030"
ignore = ["ACK"]

[listener]
kind = "mllp"
port = 2575

[maps]
"ADT" = "urn:adt"
"ORU^R01" = "urn:oru"

[variables]
patient_system = "urn:oid:1.2.3"

[profiles]
Patient = ["urn:patient"]
"""


def test_a_feed_is_complete_with_its_defaults() -> None:
    """What the file does not say is filled in once, here."""
    feed = parse_feed("his", FEED)

    assert feed.title == {"zh": "医院", "en": "Hospital"}
    assert feed.listener.port == 2575
    assert feed.acknowledgement.processing_ids == ("P",)
    assert feed.identity.owner == "his"
    assert feed.profiles == {"Patient": ("urn:patient",)}
    assert feed.zone == "+08:00"


def test_the_most_particular_map_is_chosen() -> None:
    """Event before message code; an ignored type has the empty map, an unknown one None."""
    feed = parse_feed("his", FEED)

    assert find_map(feed, "ORU^R01", "ORU") == "urn:oru"
    assert find_map(feed, "ADT^A08", "ADT") == "urn:adt"
    assert find_map(feed, "ACK") == ""
    assert find_map(feed, "SIU^S12", "SIU") is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("format =", "fromat ="), "fromat"),
        (('"hospital"', '"clinic"'), "source"),
        (("port =", "prot ="), "listener.prot"),
        (("2575", '"2575"'), "listener.port"),
        (('kind = "mllp"', 'kind = "smoke"'), "listener.kind"),
        (("title.en", "title.fr"), "title.en"),
        (('zh = "医院"', 'zh = "医院'), "line"),
    ],
)
def test_a_mistake_names_feed_and_key(change: tuple[str, str], reason: str) -> None:
    """FB-6301 says what to correct."""
    with pytest.raises(BridgeError) as error:
        parse_feed("his", FEED.replace(*change))

    assert error.value.code == "FB-6301"
    assert "his" in str(error.value)
    assert reason in str(error.value)


def test_two_feeds_may_not_share_a_port(tmp_path: Path) -> None:
    """Two listeners on one port cannot both start."""
    folder = tmp_path / "mappings" / "feeds"
    folder.mkdir(parents=True)
    for name in ("zz-one", "zz-two"):
        (folder / f"{name}.toml").write_text(FEED.replace("2575", "2599"), encoding="utf-8")

    with pytest.raises(BridgeError) as error:
        load_feeds(Artifacts(tmp_path))

    assert "2599" in str(error.value)


def test_the_shipped_feeds_can_be_used() -> None:
    """Every file in mappings/feeds is a feed."""
    assert all(feed.name == name for name, feed in load_feeds(Artifacts()).items())


def test_what_a_message_only_mentions_is_said_by_its_type() -> None:
    """The most particular type counts, ``*`` stands for the rest, nothing is mentioned else."""
    feed = parse_feed(
        "his", FEED + '[mentions]\n"ADT^A31" = ["Encounter"]\nADT = []\n"*" = "Encounter"\n'
    )

    assert find_mentions(feed, "ADT^A31", "ADT_A05", "ADT") == ("Encounter",)
    assert find_mentions(feed, "ADT^A01", "ADT_A01", "ADT") == ()
    assert find_mentions(feed) == ("Encounter",)
    assert find_mentions(parse_feed("his", FEED), "ORU") == ()


@pytest.mark.parametrize("kind", ["Patient", "Visit"])
def test_a_mention_is_a_resource_that_is_not_linked(kind: str) -> None:
    """FB-6301 for a Patient and for what is no resource type."""
    with pytest.raises(BridgeError, match="cannot be a mention"):
        parse_feed("his", f'{FEED}[mentions]\nADT = ["{kind}"]\n')
