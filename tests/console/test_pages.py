"""The pages as a browser gets them."""

import re
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from fhir_bridge.access import Access
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import Issue
from fhir_bridge.identity import Linker, Saying, load_rules
from fhir_bridge.ingest.draft import Draft
from fhir_bridge.journal import Message, Refusal, UnreadTally
from fhir_bridge.store import ReviewRow
from tests.console.community import NATIONAL

PAGES = (
    "/",
    "/console/residents",
    "/console/residents?q=ouyang",
    "/console/residents/p1",
    "/console/residents/p2",
    "/console/resources/Observation",
    "/console/resources/Contract/c1",
    "/console/quarantine",
    "/console/quarantine/1",
    "/console/unread",
)


class Outline(HTMLParser):
    """Notes what a page loads, and whether its tags are closed in order."""

    def __init__(self):
        super().__init__()
        self.loaded, self.open, self.wrong, self.ids = [], [], [], []

    def handle_starttag(self, tag, attributes):
        """Note what is loaded, and style and script attributes."""
        named = dict(attributes)
        self.ids += [named["id"]] if "id" in named else []
        self.wrong += [
            f"{tag} {name}" for name in named if name == "style" or name.startswith("on")
        ]
        if tag in {"script", "img", "iframe", "object"} or tag == "link":
            self.loaded.append(named.get("href") or named.get("src") or tag)
        if tag not in {"meta", "link", "input", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Each end tag closes the last open one."""
        if tag in {"line", "rect", "path", "circle", "polyline"} and self.open[-1] != tag:
            return
        if self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_stands_in_both_languages(client, path, language):
    """Well formed, in the language asked for, with a title."""
    mark = "&" if "?" in path else "?"
    answer = client.get(f"{path}{mark}lang={language}")
    assert answer.status_code == 200
    page = answer.text
    assert f'<html lang="{language}">' in page
    outline = Outline()
    outline.feed(page)
    assert (outline.wrong, outline.open) == ([], [])
    assert len(outline.ids) == len(set(outline.ids))


@pytest.mark.parametrize("path", PAGES)
def test_no_page_runs_scripts_or_loads_anything_from_elsewhere(client, path):
    """The policy forbids it, and the page does not try."""
    answer = client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    outline = Outline()
    outline.feed(answer.text)
    assert all(place.startswith("/console/static/") for place in outline.loaded)


def test_links_of_the_first_pages_lead_somewhere(client):
    """Each link within the console answers 200."""
    seen = set()
    for path in PAGES:
        for link in re.findall(r'href="(/[^"]*)"', client.get(path).text):
            seen.add(link.replace("&amp;", "&"))
    assert len(seen) > 20
    for link in sorted(seen):
        with client.get(link) as answer:
            assert answer.status_code == 200, link


def test_the_first_page_counts_feeds_resources_and_trouble(client):
    """Three messages received, three waiting, one in quarantine with its reason and hint."""
    page = client.get("/?lang=en").text
    assert "Central Hospital HIS" in page
    assert re.search(r'data-label="Received">3<', page)
    assert re.search(r'data-label="Waiting">3<', page)
    assert "FB-1010" in page
    assert "PID-7 of message 8831" in page
    assert "Check the line that is named" in page
    assert re.search(r'/console/resources/Observation">Observation</a></th><td class="n">8<', page)


def test_a_resident_is_one_screen(client):
    """Identity from three systems, agreement with fees, team, referral, results with plot."""
    page = client.get("/console/residents/p1?lang=en").text
    for text in (
        "欧阳秀兰",
        "42980219560304212X",
        "42980200100100024",
        "P00176000",
        "not verified",
        "QY2026000024",
        "2026-03-05 – 2028-03-04",
        "¥ 140.00",
        "Medical insurance fund",
        "梁医生团队",
        "Practising nurse",
        "J市H区H社区卫生服务中心 → J市中心医院",
        "5.80 mmol/L",
        "流感疫苗",
        "出院小结",
        "年度健康体检",
        "Resident with hypertension",
    ):
        assert text in page
    assert page.count("<polyline") == 2
    assert page.count("<circle") == 10
    assert "Health files" in page
    assert "Central Hospital HIS" in page


def test_a_resident_without_anything_says_so(client):
    """No agreement, no results: sentences, not blanks; the name is text, not markup."""
    page = client.get("/console/residents/p2?lang=en").text
    assert "No agreement with a family doctor." in page
    assert "No result." in page
    assert "&lt;b&gt;王&lt;/b&gt;伟" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("欧阳", 1),
        ("ouyang", 1),
        ("42980219560304212X", 1),
        ("P00176000", 1),
        ("没有这个人", 0),
        ("a,b|c$d\\", 0),
    ],
)
def test_residents_are_found_by_name_pinyin_and_identifier(client, query, found):
    """What a receptionist types."""
    page = client.get(f"/console/residents?lang=en&q={quote(query)}").text
    assert ("欧阳秀兰" in page) == bool(found)
    assert ("Nothing found." in page) == (not found)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/console/residents/none", 404),
        ("/console/resources/Patient/none", 404),
        ("/console/resources/Nonsense/x", 404),
        ("/console/quarantine/999", 404),
        ("/console/resources/Nonsense", 404),
        ("/console/residents?after=garbage", 400),
    ],
)
def test_what_is_not_there_is_a_page_with_a_sentence(client, path, status):
    """Never a traceback."""
    answer = client.get(path)
    assert answer.status_code == status
    assert "<h1>" in answer.text


def test_raw_bytes_are_shown_as_harmless_text(client):
    """Markup is escaped; controls and marks of direction become visible."""
    page = client.get("/console/quarantine/1").text
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;^李⟨202E⟩四⟨00⟩" in page
    assert page.count("<li><code>") == 2


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("Joined", "same verified identifier")), ("zh-CN", ("关联", "有效证件号一致"))],
)
def test_a_resident_shows_who_was_joined_and_how_to_undo_it(client, services, language, words):
    """Feed, rule, masked identifiers and the command; only for those who see everything."""
    linker = Linker(load_rules(Artifacts()), {"hospital-adt": "hospital"})
    with services.store.transaction() as transaction:
        draft = Draft(transaction)
        for feed in ("public-health-files", "hospital-adt"):
            patient = {
                "resourceType": "Patient",
                "identifier": [{"system": NATIONAL, "value": "11010519491231002X"}],
                "birthDate": "1949-12-31",
                "name": [{"text": "<i>李梅</i>"}],
            }
            link = linker.link(draft, patient, Saying(feed, message=lambda: "digest"))
            draft.put(link.patient, 1)
        draft.apply()
    path = f"/console/residents/{link.patient_id}?lang={language}"
    page = client.get(path).text
    assert all(each in page for each in words)
    section = page.partition('class="plain links"')[2].partition("</section>")[0]
    assert "••••2X" in section
    assert "11010519491231002X" not in section
    assert "fhir-bridge unlink 2" in section
    services.access = Access.patients([link.patient_id])
    assert "fhir-bridge unlink" not in client.get(path).text


@pytest.mark.parametrize(
    ("language", "words"), [("en", "a known number came with"), ("zh-CN", "待核实的身份冲突")]
)
def test_the_first_page_lists_contradictions_of_persons(client, services, language, words):
    """Why, both residents, the masked number and the command; until it is settled."""
    path = f"/?lang={language}"
    assert words not in client.get(path).text
    detail = '{"numbers": [["urn:oid:2.16.156.10011.1.2", "••••01"]]}'
    with services.store.transaction() as transaction:
        for _ in range(2):
            transaction.hold(ReviewRow("overlay", "p", "q", "his", "digest", detail))
    page = client.get(path).text
    assert words in page
    assert "••••01" in page
    assert page.count("fhir-bridge held 1") == 1
    assert "/console/residents/q" in page
    services.store.reviews.settle(1, "asked")
    assert words not in client.get(path).text


def test_the_first_page_warns_of_an_outdated_index(client, services):
    """With the command that mends it, in the reader's language."""
    assert "FB-5012" not in client.get("/").text
    services.store.settings.forget("index revision")
    page = client.get("/?lang=zh-CN").text
    assert "FB-5012" in page
    assert "请运行 fhir-bridge reindex" in page


def test_a_replay_needs_the_form_of_our_own_page(client, services):
    """Without cookie and token, or with another's token, nothing happens."""
    path = "/console/quarantine/1/replay"
    assert client.post(path).status_code == 403
    token = re.search(r'name="token" value="(\w+)"', client.get("/console/quarantine").text)[1]
    assert client.post(path, data={"token": "0" * 64}).status_code == 403
    client_without_cookie = client.application.test_client()
    assert client_without_cookie.post(path, data={"token": token}).status_code == 403
    assert services.replayed == []
    answer = client.post(path, data={"token": token})
    assert (answer.status_code, len(services.replayed)) == (303, 1)
    assert "Nothing is in quarantine" in client.get(answer.headers["Location"] + "&lang=en").text
    assert "said=gone" in client.post(path, data={"token": token}).headers["Location"]


def test_a_replay_that_fails_again_says_so_and_leaves_the_item(client, services):
    """Nothing is lost by trying."""
    services.still = [Issue("FB-1010", where="PID-7")]
    token = re.search(r'name="token" value="(\w+)"', client.get("/console/quarantine").text)[1]
    answer = client.post("/console/quarantine/1/replay", data={"token": token})
    page = client.get(answer.headers["Location"] + "&lang=en").text
    assert "it still fails" in page
    assert "FB-1010" in page


def test_a_replay_that_waits_for_its_turn_says_so(client, services, monkeypatch):
    """A page never works on a message itself: the pipeline may be in another process."""
    monkeypatch.setattr("fhir_bridge.ingest.replay._WAIT_SECONDS", 0.0)
    services.asleep = True
    token = re.search(r'name="token" value="(\w+)"', client.get("/console/quarantine").text)[1]
    answer = client.post("/console/quarantine/1/replay", data={"token": token})
    assert "in its turn" in client.get(answer.headers["Location"] + "&lang=en").text
    assert services.replayed == []
    assert services.store.journal.pending()[-1].data.startswith(b"MSH")


def test_the_quarantine_is_paged_and_can_be_narrowed_to_a_feed(client, services):
    """Newest first, fifty at a time."""
    for number in range(60):
        services.store.quarantine.add(
            Refusal(Message("public-health-files", b"x"), [Issue("FB-1011", where=f"row {number}")])
        )
    first = client.get("/console/quarantine?lang=en").text
    assert "row 59" in first
    assert "row 9<" not in first
    following = re.search(r'href="([^"]*before=[^"]*)"', first)[1].replace("&amp;", "&")
    assert "row 9<" in client.get(following).text
    narrowed = client.get("/console/quarantine?feed=hospital-adt").text
    assert "row 59" not in narrowed
    assert "FB-1010" in narrowed


def test_what_no_map_reads_is_counted_on_the_first_page_and_listed(client, services):
    """In both languages; the example is a shape."""
    assert "Everything that came was read" in client.get("/console/unread?lang=en").text
    places = [("ZPI", False), ("PID-24", False), ("OBX-2", True)]
    with services.store.transaction() as transaction:
        transaction.count_unread(
            UnreadTally(
                "hospital-adt", "http://x/v2-adt", place, looked, "d", 1204,
                "2026-09-01T08:00:00Z", "2026-09-02T08:00:00Z", "AAA|9|汉汉",
            )
            for place, looked in places
        )  # fmt: skip
    first = client.get("/?lang=en").text
    assert re.search(
        r'data-label="Not read"><a href="/console/unread\?feed=hospital-adt">2<', first
    )
    page = client.get("/console/unread?feed=hospital-adt&lang=en").text
    assert page.count("1,204") == 3
    assert "AAA|9|汉汉" in page
    assert page.count("(only looked at)") == 1
    assert "未读取的内容" in client.get("/console/unread?lang=zh-CN").text
    assert "ZPI" not in client.get("/console/unread?feed=other").text


def test_the_language_is_asked_for_kept_or_taken_from_the_browser(client):
    """A choice stays; without one the browser's order counts."""
    english = {"Accept-Language": "en-US,en;q=0.9"}
    assert 'lang="en"' in client.get("/", headers=english).text
    assert '<html lang="zh-CN">' in client.get("/").text
    client.get("/?lang=en")
    assert '<html lang="en">' in client.get("/").text


def test_pages_keep_to_the_access_of_the_reader(client, services):
    """Another resident's record, the counts and the quarantine are as if they were not there."""
    services.access = Access.patients(["p2"])
    assert client.get("/console/residents/p2").status_code == 200
    assert client.get("/console/residents/p1").status_code == 404
    assert "欧阳" not in client.get("/console/residents").text
    assert client.get("/").status_code == 404
    assert client.get("/console/quarantine").status_code == 404
    assert client.post("/console/quarantine/1/replay").status_code == 404
    services.access = None
    assert client.get("/console/residents/p2").status_code == 404


def test_every_word_stands_in_both_languages():
    """A blank would show as a blank."""
    from fhir_bridge.console.text.language import words

    for language in ("zh-CN", "en"):
        assert all(words(language)._texts.values())


def test_issues_read_chinese_on_chinese_pages(client):
    """Sentence and hint, with their places filled in."""
    page = client.get("/console/quarantine/1?lang=zh-CN").text
    assert "无法读取 XML 文本：month 13。" in page
    assert "请检查所指的行" in page


def test_chinese_issue_texts_name_only_codes_and_places_of_the_catalogue():
    """A place that the catalogue does not fill would always read as dots."""
    import string

    from fhir_bridge.console.text.issue_text import chinese
    from fhir_bridge.errors import catalogue

    def places(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert set(chinese()) <= set(catalogue())
    for code, (sentence, hint) in chinese().items():
        entry = catalogue()[code]
        assert places(sentence) == places(entry.sentence), code
        assert places(hint) <= places(entry.sentence) | places(entry.hint), code


def test_doctors_over_the_limit_are_found(services, registry):
    """Rule V16: residents under agreements in force, counted by the doctor who signed."""
    from fhir_bridge.console import Reader, doctor_loads

    reader = Reader(services.store, registry, Access.everything())
    assert doctor_loads(reader, 600) == []
    (load,) = doctor_loads(reader, 0)
    assert (load.name, load.persons, load.limit) == ("梁婷", 1, 0)
    assert doctor_loads(reader, 1) == [], "a doctor exactly at the limit keeps the rule"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh-CN", "厨房排风设施 油烟机; 燃料类型 天然气"),
        ("en", "Kitchen ventilation Range hood; Fuel Natural gas"),
    ],
)
def test_coded_answers_read_in_the_language_of_the_page(client, services, language, said):
    """Answers of a paper form hold codes; a reader sees what they mean."""
    system = "https://fhir-bridge.org/fhir/CodeSystem/phs-"

    def part(item, word, code):
        return {
            "code": {"coding": [{"system": system + "item", "code": item, "display": word}]},
            "valueCodeableConcept": {"coding": [{"system": f"{system}2017-{item}", "code": code}]},
        }

    home = {
        "resourceType": "Observation",
        "id": "home",
        "status": "final",
        "code": {"text": "生活环境"},
        "subject": {"reference": "Patient/p1"},
        "component": [part("kitchen-ventilation", "厨房排风设施", "2"), part("fuel", "燃料类型", "3")],
    }  # fmt: skip
    with services.store.transaction() as transaction:
        transaction.put(home)
    assert said in client.get(f"/console/residents/p1?lang={language}").text


def test_results_have_the_name_that_the_reader_knows(client):
    """The sender's Chinese name on the Chinese page, our short one on the English."""
    assert "总胆固醇" in client.get("/console/residents/p1?lang=zh-CN").text
    page = client.get("/console/residents/p1?lang=en").text
    assert "Total cholesterol" in page
    assert "总胆固醇" not in page


def test_every_code_has_a_name_in_both_languages():
    """And stands once."""
    import csv
    from importlib.resources import files

    text = files("fhir_bridge.console.text").joinpath("code_names.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert all(all(row.values()) and None not in row for row in rows)
    assert len({(row["system"], row["code"]) for row in rows}) == len(rows)


def test_a_visit_without_a_period_has_no_empty_line(client, services):
    """What is not known takes no room."""
    with services.store.transaction() as transaction:
        transaction.put(
            {
                "resourceType": "Encounter",
                "id": "e2",
                "status": "finished",
                "class": {"code": "AMB"},
                "subject": {"reference": "Patient/p1"},
            }
        )
    page = client.get("/console/residents/p1?lang=en").text
    assert "Encounter/e2" in page
    assert re.search(r'<(p|span) class="(why|meta time)"></', page) is None


def test_fees_name_their_payer_where_a_phone_stacks_them(client):
    """Each amount carries its column's name."""
    page = client.get("/console/residents/p1?lang=en").text
    assert '<td class="n" data-label="Medical insurance fund">¥ 48.00</td>' in page
    assert '<td class="n" data-label="Price">¥ 120.00</td>' in page


def test_the_first_page_counts_again_only_after_a_change(client, services, monkeypatch):
    """Counting reads every resource; a reader of an unchanged record does not wait for it."""
    counted = []
    count = services.store.counts_by_type
    monkeypatch.setattr(services.store, "counts_by_type", lambda: counted.append(1) or count())
    client.get("/")
    client.get("/")
    assert len(counted) == 1
    with services.store.transaction() as transaction:
        transaction.put({"resourceType": "Basic", "id": "b1", "code": {"text": "x"}})
    assert ">Basic</a>" in client.get("/").text
    assert len(counted) == 2
