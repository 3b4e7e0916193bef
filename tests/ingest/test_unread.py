"""What a map leaves unread is counted, shown by its shape, and an issue the first time."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.fhir import definitions
from fhir_bridge.ingest import convert, get_feed, load_feeds, parse_feed
from fhir_bridge.ingest.parse import parse
from fhir_bridge.ingest.shape import shape_of
from fhir_bridge.ingest.transform import Transformer
from fhir_bridge.ingest.unread import unread_places
from fhir_bridge.transform import Library
from tests.ingest.conftest import ADT_MAP, CSV, ROW_MAP, Site, adt, make_site


def _counts(site: Site, feed: str = "his") -> dict[str, int]:
    return {each.place: each.count for each in site.store.unread.places(feed) if not each.looked}


def test_what_came_and_was_not_read_is_counted_by_place(site: Site) -> None:
    """A field, a repeat, a Z segment: each by its name, however many messages hold it."""
    more = "ZPI|1|张三\r"
    site.send(
        adt(more="male|||||13900000000") + more, adt(number="P2", visit="V2", control="M2") + more
    )

    counts = _counts(site)
    assert counts["PID-13"] == 1
    assert counts["ZPI"] == 2
    assert counts["MSH-3"] == 2
    assert not {"PID-3", "PID-5", "PID-7", "PID-8", "PV1-19"} & counts.keys()


def test_an_example_shows_a_shape_and_never_a_value(site: Site) -> None:
    """Who looks at the counts learns what kind of thing came, and of whom nothing."""
    site.send(adt(more="male|||||13900000000^王五"))

    (found,) = (each for each in site.store.unread.places("his") if each.place == "PID-13")
    assert found.example == "99999999999^汉汉"
    assert found.first_seen == found.last_seen != ""


def test_a_place_is_an_issue_the_first_time_it_is_seen_in_a_feed(
    site: Site, tmp_path: Path
) -> None:
    """Also after a restart: the record knows what was told."""
    site.send(adt(more="male|||||139"))
    site.send(adt(more="male|||||138", control="M2"))
    again = make_site(tmp_path / "record.sqlite3")
    again.send(adt(more="male|||||137", control="M3"))
    again.store.close()

    details = [site.store.journal.get(number).detail for number in (1, 2, 3)]
    assert ["FB-6011 PID-13" in detail for detail in details] == [True, False, False]
    assert _counts(site)["PID-13"] == 3


def test_a_message_that_is_refused_is_counted_when_it_is_recorded(site: Site) -> None:
    """What rests in quarantine will be read again."""
    site.send(adt(more="neither|||||139"))

    assert _counts(site) == {}


def test_a_map_that_was_mended_starts_counting_anew(tmp_path: Path) -> None:
    """What the new rule reads is no longer shown; what still nobody reads counts from there."""
    site = make_site(tmp_path / "record.sqlite3")
    site.send(adt(more="male|||||139"))
    assert {"PID-1", "PID-13"} <= _counts(site).keys()
    site.store.close()

    mended = make_site(tmp_path / "record.sqlite3")
    rule = "pid.f13 as number -> patient.telecom as telecom, telecom.system = 'phone', telecom.value = number;\n    pid.f8 as"
    mended.library.add(ADT_MAP.replace("pid.f8 as", rule))
    mended.send(adt(more="male|||||138", control="M2"))

    assert "PID-13" not in _counts(mended)
    assert _counts(mended)["PID-1"] == 1
    mended.store.close()


def test_a_column_nobody_reads_is_counted_by_its_name(site: Site) -> None:
    """Columns of a table and members of JSON rows alike; an empty cell is nothing."""
    site.send(
        "number,name,born,职业\r\n1,张三,1970-01-01,教师\r\n2,李四,1971-01-01,\r\n", feed="register"
    )
    site.send(
        '{"number": "3", "name": "王五", "born": "1972-01-01", "职业": "农民"}', feed="register"
    )

    assert _counts(site, "register") == {"职业": 2}


def test_convert_says_what_it_left_in_one_issue() -> None:
    """For who tries a file: information, and no more."""
    feeds = {"register": parse_feed("register", CSV)}
    library = Library(definitions(), [ROW_MAP])
    made = convert(
        "number,name,born,note\r\n1,张三,1970-01-01,x\r\n".encode(),
        feeds=feeds,
        library=library,
        feed=feeds["register"],
    )

    (issue,) = (each for each in made.issues if each.code == "FB-6012")
    assert (issue.severity, issue.details["places"]) == ("information", "note")


# --- by the product's own maps ----------------------------------------------------------


@pytest.fixture(scope="module")
def left():
    """A function: what the product's maps leave of data of a feed, place -> whether looked at."""
    artifacts = Artifacts()
    feeds = load_feeds(artifacts)
    transformer = Transformer(Library.from_artifacts(artifacts))

    def of(data: str, feed_name: str, *, runs: int = 1) -> dict[str, bool]:
        feed = get_feed(feeds, feed_name)
        for _ in range(runs):  # the generated functions come with the third run
            found: dict[str, bool] = {}
            for record in parse(data.encode(), feed):
                transformer.transform(record, feed)
                places = unread_places(record.tree, feed.format)
                found |= {place: looked for place, looked, _ in places}
        return found

    return of


_HEAD = "MSH|^~\\&|A|JCCH|B|C|20260301||ORU^R01|1|P|2.5\rPID|1||P1^^^JCCH^PI||张三||19700101|M\r"


@pytest.mark.parametrize("runs", [1, 4])
def test_what_was_read_is_not_told_as_unread(left, runs) -> None:
    """Interpreted or generated, in components, subcomponents, repeats and raw text."""
    observation = (
        "OBR|1||F1|GLU^葡萄糖^L\r"
        "OBX|1|TX|N1^文字^L||第一行~第二行||||||F\r"
        "OBX|2|NM|2345-7^Glucose^LN||5.1|mmol/L|3.9-6.1|H|||F|||20260301\r"
    )
    found = left(_HEAD + observation, "hospital-his", runs=runs)

    assert not [place for place in found if place.startswith(("OBX-3", "OBX-5", "OBX-6", "OBX-8"))]
    assert not [place for place in found if place.startswith(("PID-3", "PID-5", "PID-7", "PID-8"))]


def test_a_z_segment_and_a_part_of_a_field_are_named_as_sent(left) -> None:
    """``ZPI``, ``PID-5.9``: what a sender can look up."""
    found = left(_HEAD.replace("张三", "张三^^^^^^^^XX") + "ZPI|1|x\r", "hospital-his")

    assert found["ZPI"] is False
    assert found["PID-5.9"] is False


def test_an_entry_part_is_named_from_its_section(left) -> None:
    """A part that no rule enters is one line, whatever it holds."""
    document = Path(__file__).parents[1] / "cases/maps/cda-discharge-summary/input.xml"
    text = document.read_text(encoding="utf-8")
    added = text.replace("</entry>", "<novelty><inner code='x'/></novelty></entry>", 1)
    assert added != text
    before, after = left(text, "hospital-cda"), left(added, "hospital-cda")

    (new,) = after.keys() - before.keys()
    assert new.startswith("section[")
    assert new.endswith("/entry/novelty")


def test_a_shape_keeps_signs_and_hides_letters_and_digits() -> None:
    """Also of scripts that have no capitals."""
    assert shape_of("Ab1|张 三，é") == "Aa9|汉 汉·X"
    assert shape_of("9" * 50) == "9" * 40 + "…"
