"""What tells orders, results and appointments of HL7 v2 apart, and when they end."""

from __future__ import annotations

import pytest

from fhir_bridge import hl7v2
from fhir_bridge.errors import Issue
from fhir_bridge.hl7v2 import Message, Segment
from fhir_bridge.map_functions import functions_by_name

HEAD = r"MSH|^~\&|LIS|H|||20260301||ORU^R01^ORU_R01|1|P|2.5.1"


def message(*lines: str) -> Message:
    """A message of these segments."""
    return hl7v2.parse("\r".join((HEAD, *lines)).encode())


def call(name: str, *parameters: object) -> object:
    """What a named function gives."""
    return functions_by_name()[name].call(*parameters)


def keys(*lines: str) -> list[object]:
    """The key of each OBR."""
    read = message(*lines)
    return [call("order_key", obr, read.get("ORC"), "H", "H/P1") for obr in read.segments_of("OBR")]


def test_the_filler_names_an_order_before_the_placer() -> None:
    """ORC-3 stands for an empty OBR-3."""
    assert keys("OBR|1|P1|F1|A") == ["H/F1/A"]
    assert keys("ORC|RE|P1|F2", "OBR|1|P1||A") == ["H/F2/A"]
    assert keys("OBR|1|P1||^words") == ["H/P1/words"]
    assert keys("ORC|RE|P1|F2", "ORC|RE|P2|F3", "OBR|1|P1||A") == ["H/F2/A"]


def test_one_number_for_two_batteries_is_two_orders() -> None:
    """And one battery at two times, or twice at one time, as well."""
    assert keys("OBR|1||F|A", "OBR|2||F|B") == ["H/F/A", "H/F/B"]
    assert keys("OBR|1||F|A|||08", "OBR|2||F|A|||09") == ["H/F/A/08", "H/F/A/09"]
    assert keys("OBR|1||F|A|||08", "OBR|2||F|A|||08") == ["H/F/A/08", "H/F/A/08/#2"]


def test_an_order_without_a_number_is_the_persons_at_its_time() -> None:
    """The time of the message is the last that is left."""
    assert keys("OBR|1|||A|||08") == ["H/P1/order/A/08"]
    assert keys('OBR|1|""|""|A') == ["H/P1/order/A/20260301"]


def test_equal_results_of_an_order_are_counted() -> None:
    """Again from one at the next order; code, sub-id and time make them equal."""
    read = message(
        "OBR|1", "OBX||NM|A^x||1", "OBX||NM|A^y||2", "OBX||NM|B||3", "OBR|2", "OBX||NM|A||4"
    )
    places = [call("place_among_alike", obx, "OBR", 3, 4, 14) for obx in read.segments_of("OBX")]

    assert places == [None, "#2", None, None]


def test_the_battery_counts_where_orders_share_a_number() -> None:
    """Else the number alone names an order."""
    read = message("OBR|1|P|F|A", "OBR|2|P|G|B", "OBR|3|Q|F|A")
    batteries = [call("battery_if_shared", obr) for obr in read.segments_of("OBR")]

    assert batteries == ["A", "B", None]


def test_the_feeds_own_numbers_have_the_systems_that_it_names() -> None:
    """By CX-4, else by MSH-4; a card of a person keeps its authority."""
    read = message("PID|1||1^^^H^MR~2^^^X^MR~3^^^H^JHN~4")
    facility = read.header.get("f4")
    systems = [
        call("number_system", cx.get("c4"), facility, None, ["H"], "urn:own", cx.get("c5"))
        for cx in read.get("PID").get("f3")
    ]

    sid = "https://fhir-bridge.org/fhir/sid"
    assert systems == ["urn:own", f"{sid}/X", f"{sid}/H", "urn:own"]
    assert call("foreign_uri", facility, ["H"]) is None
    assert call("foreign_uri", facility, ["X"]) == f"{sid}/H"


@pytest.mark.parametrize(
    ("pv1", "event", "is_visit"),
    [
        ("PV1|1|I", "A01", True),
        ("PV1|1|N", "A04", False),
        ("PV1|1|I", "A31", False),
        ("PV1|1|I" + "|" * 17 + "V1", "A31", True),
        ("PV1|1|O", "A40", False),
        ("PV1|1|", "R01", True),
    ],
)
def test_a_required_pv1_is_no_visit(pv1: str, event: str, *, is_visit: bool) -> None:
    """Where the event is about the person, or the class is none, and there is no number."""
    read = hl7v2.parse(f"{HEAD.replace('R01', event)}\rPID|1||P1\r{pv1}".encode())

    found = call("visit_url", read.get("PV1"), read.header.get("f9"), "urn:uuid:1")

    assert found == ("urn:uuid:1" if is_visit else None)


def test_a_person_is_named_by_the_first_number() -> None:
    """PID-3, else PID-2, else PID-19; a value counts only where something else is."""
    pids = [message(text).get("PID") for text in ("PID|1|B|A~C", "PID|1|B", "PID|1")]

    assert [call("person_key", "H", pid) for pid in pids] == ["H/A", "H/B", None]
    assert [call("when_there", "x", node) for node in (pids[0], None)] == ["x", None]


@pytest.mark.parametrize(
    ("amount", "unit", "end"),
    [
        ("30", "MIN", "2026-03-10T10:00:00+08:00"),
        ("30", None, "2026-03-10T10:00:00+08:00"),
        ("1.5", "H", "2026-03-10T11:00:00+08:00"),
        ("90", "S", "2026-03-10T09:31:30+08:00"),
        ("half", "H", None),
        (None, None, None),
    ],
)
def test_an_end_follows_from_a_duration(
    amount: str | None, unit: str | None, end: str | None
) -> None:
    """In the unit that is given, else in minutes; words give none."""
    assert call("end_after", "20260310093000", amount, unit, "+08:00") == end


def test_hexadecimal_data_is_read_or_told() -> None:
    """Blanks between the digits do no harm; an odd digit does."""
    assert call("base64_of_hex", "25 50 44 46") == "JVBERg=="
    assert isinstance(call("base64_of_hex", "255"), Issue)


def test_tq1_after_obr_belongs_to_the_open_order() -> None:
    """As DG1 and NTE out of place do: no order of their own is opened for them."""
    read = hl7v2.parse(
        "\r".join(
            (
                r"MSH|^~\&|A|H|||20260301||OMG^O19^OMG_O19|1|P|2.5.1",
                "PID|1",
                "ORC|NW|1",
                "OBR|1|1",
                "TQ1|1",
                "OBX|1",
                "DG1|1",
                "ORC|NW|2",
                "OBR|2|2",
            )
        ).encode()
    )
    orders = read.get("ORDER")

    assert [
        [order.get(name) is not None for name in ("TQ1", "OBX", "DG1")] for order in orders
    ] == [
        [True, True, True],
        [False, False, False],
    ]


def test_a_parent_order_and_its_result_are_found_by_number_and_code() -> None:
    """The filler's number before the placer's; a result that has a time of its own is not meant."""
    read = message(
        "OBR|1|P1|F1|A", "OBX|1|ST|GERM||x", "OBR|2|F1|F2|B", "OBX|1|ST|RES||y|||||||||2026"
    )
    order = read.segments_of("OBR")[1]

    assert [call("battery_of", order, number) for number in ("F1", "P1", "F9", "")] == [
        "A", "A", None, None,
    ]  # fmt: skip
    assert call("result_without_time", order, "GERM") == "GERM"
    assert call("result_without_time", order, "RES") is None


def test_a_thousand_children_look_for_their_parents_in_one_pass() -> None:
    """The segments are gone through once for each question, not once for each order."""
    read = message(*(f"OBR|{n}|P{n}|F{n}|A{n}" for n in range(1000)), "OBX|1|ST|GERM||x")
    order = read.segments_of("OBR")[-1]
    passes = []

    class Watched(list[Segment]):
        def __iter__(self):
            passes.append(1)
            return super().__iter__()

    read.segments = Watched(read.segments)

    assert [call("battery_of", order, f"F{n}") for n in range(1000)] == [
        f"A{n}" for n in range(1000)
    ]
    assert all(call("result_without_time", order, "GERM") for _ in range(1000))
    assert len(passes) == 2
