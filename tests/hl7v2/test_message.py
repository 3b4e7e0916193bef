"""Nodes of a message: what maps see."""

from __future__ import annotations

import pytest

from fhir_bridge import hl7v2
from fhir_bridge.fhir.marks import NULL, USUAL

HEADER = "MSH|^~\\&|LIS|H1|FB|C1|20260101120000||{type}|M1|P|2.5"
PID = (
    'PID|1||P1^^^H1&1.2.3&ISO^MR~330110197001011234^^^^SFZ||张三^ZHANGSAN||19700101|""||^^|A\\T\\B'
)


def _message(message_type: str, *lines: str) -> hl7v2.Message:
    return hl7v2.parse("\r".join([HEADER.format(type=message_type), *lines, ""]).encode())


def test_values_know_their_parts_and_their_place() -> None:
    """Repetitions, components and subcomponents, each with the sender's name for it."""
    first, second = _message("ADT^A01", PID).get("PID").get("f3")

    assert first == "P1"
    assert first.get("c1") == "P1"
    assert first.get("c4") == "H1"
    assert first.get("c4").get("s2") == "1.2.3"
    assert first.get("c4").get("s2").where == "PID-3.4.2"
    assert second.get("c5").where == "PID-3[2].5"
    assert first.keys() == ["c1", "c4", "c5"]


def test_empty_and_absent_fields_answer_none_and_a_null_its_mark() -> None:
    """Nothing was said, or what is known is taken back: a map can tell the two apart."""
    pid = _message("ADT^A01", PID).get("PID")

    assert [pid.get(name) for name in ("f6", "f10", "f99", "x")] == [None] * 4
    null = pid.get("f8")
    assert [null, null.get("raw"), null.get("c1"), null.get("c1").get("s1")] == [NULL] * 4
    assert null.get("c2") is None
    assert null.where == "PID-8"


@pytest.mark.parametrize(
    ("field", "parts"),
    [
        ('""^三', [NULL, "三"]),
        ('张^""', ["张", NULL]),
        ('1~""', ["1", NULL]),
        ('a&""^b', ["a", NULL]),
    ],
)
def test_a_null_stands_wherever_a_value_can(field: str, parts: list[str]) -> None:
    """As a component, a subcomponent or a repetition beside others."""
    found = _message("ADT^A01", f"PID|1|||||{field}").get("PID").get("f6")

    texts = (
        [str(one) for one in found]
        if isinstance(found, list)
        else [found.get("s1"), found.get("s2")]
        if "&" in field
        else [found.get("c1"), found.get("c2")]
    )
    assert texts == parts


def test_null_in_the_header_is_as_empty() -> None:
    """Type, control id, character set and addresses of the message itself take nothing back."""
    text = 'MSH|^~\\&|LIS|""|FB|""|""||ADT^A01^""|""|""|2.5||||||""\rPID|1||P1||张三\r'
    message = hl7v2.parse(text.encode())

    assert message.message_type == ("ADT", "A01", "")
    assert message.control_id == ""
    assert [message.header.get(f"f{number}") for number in (4, 6, 7, 10, 11, 18)] == [None] * 6
    assert [issue.code for issue in hl7v2.examine(message)] == ["FB-1109"]
    answer = hl7v2.parse(hl7v2.acknowledge(message, "AA"))
    assert '""' not in answer.header.text
    assert answer.header.get("f11") == "P"


@pytest.mark.parametrize(
    ("segment", "kept", "null"),
    [
        ('OBX|""|""|""|""|7.5|""||||""|""', (1, 2, 3, 4, 11), (6, 10)),
        ('PID|""|""|""||""|""|""', (1, 3), (2, 5, 6, 7)),
        ('PV1|""|""|""|||||||||||||||""', (1, 2), (3, 18)),
        ('ORC|""|""|""', (1,), (2, 3)),
    ],
)
def test_null_is_as_empty_where_nothing_can_be_taken_back(
    segment: str, kept: tuple[int, ...], null: tuple[int, ...]
) -> None:
    """What tells siblings apart, how to read others, or what the segment is about."""
    found = _message("ORU^R01", PID, segment).segments[-1]

    assert [found.get(f"f{number}") for number in kept] == [None] * len(kept)
    assert [found.get(f"f{number}") for number in null] == [NULL] * len(null)


def test_a_part_of_such_a_field_is_as_empty_too() -> None:
    """A number without its value, with its authority."""
    found = _message("ORU^R01", 'PID|1||""^^^H1||""^三').get("PID")

    assert found.get("f3").get("c1") is None
    assert found.get("f3").get("c4") == "H1"
    assert [found.get("f5").get(part) for part in ("c1", "c2")] == [NULL, "三"]


def test_marks_of_maps_never_come_from_outside() -> None:
    """The two noncharacters are removed from text and from hexadecimal escapes."""
    line = f"PID|1||P1||{NULL}{USUAL}\\XEFB790\\张三"
    message = _message("ADT^A01", line)

    assert message.get("PID").get("f5") == "张三"
    assert [issue.code for issue in message.issues] == ["FB-1107", "FB-1122"]


def test_escapes_are_resolved_and_raw_text_is_kept_whole() -> None:
    r"""``\T\`` becomes ``&``; ``raw`` gives an unescaped circumflex back unsplit."""
    message = _message("ORU^R01", PID, "OBX|1|NM|WBC^白细胞||7.5|10^9/L|4-10")

    assert message.get("PID").get("f11") == "A&B"
    assert message.get("OBX").get("f6") == "10"
    assert message.get("OBX").get("f6").get("raw") == "10^9/L"
    assert message.get("OBX").get("f5").type_name == "NM"


def test_segments_are_found_by_name_and_by_group() -> None:
    """Results of one order stay with that order."""
    message = _message(
        "ORU^R01",
        PID,
        "OBR|1||A",
        "OBX|1|ST|a1",
        "NTE|1||note",
        "OBX|2|ST|a2",
        "ZPI|1",
        "ORC|RE",
        "OBR|2||B",
        "OBX|1|ST|b1",
    )

    orders = message.get("ORDER_OBSERVATION")
    observations = orders[0].get("OBSERVATION")

    assert message.type_name == "ORU_R01"
    assert [len(orders), len(observations), len(message.get("OBX"))] == [2, 2, 3]
    assert observations[0].get("NTE").get("f3") == "note"
    assert orders[0].get("NTE") is None
    assert [segment.get("f3") for segment in orders[0].get("OBX")] == ["a1", "a2"]
    assert orders[1].get("OBX").where == "OBX[3]"
    assert observations[1].get("ZPI") is not None
    assert message.get("PATIENT_RESULT").get("PATIENT").get("PID") is message.get("PID")


def test_orders_without_orc_and_late_visits_still_group() -> None:
    """A second OBR opens a second order; a late PV1 joins the visit; nothing is lost."""
    message = _message("ORM^O01", PID, "OBR|1||A", "DG1|1", "OBR|2||B", "PV1|1|I")

    orders = message.get("ORDER")

    assert [order.get("OBR").get("f3") for order in orders] == ["A", "B"]
    assert orders[0].get("DG1") is not None
    assert message.get("PATIENT").get("PATIENT_VISIT").get("PV1") is message.get("PV1")


def test_a_new_order_begins_with_its_orc_and_not_inside_prior_results() -> None:
    """OML holds ORC deep inside prior results; the next ORC still opens the next order."""
    message = _message("OML^O21", PID, "ORC|NW", "OBR|1", "OBX|1", "ORC|NW", "OBR|2", "SPM|1")

    assert [order.get("OBR").get("f1") for order in message.get("ORDER")] == ["1", "2"]


@pytest.mark.parametrize("name", ["ADT^A01", "ADT^A17", "ORU^R01", "SIU^S12", "REF^I12", "ZZZ^Z01"])
def test_every_segment_is_in_exactly_one_place(name: str) -> None:
    """Whatever the order, the tree holds each segment once."""
    lines = ["OBX|1", "PV1|1", PID, "ZZ1|1", "NTE|1", "OBR|1", "PID|2", "RGS|1", "AIS|1", "OBX|2"]
    message = _message(name, *lines)

    def numbers(instance: object) -> list[int]:
        return [
            number
            for item in instance.items  # type: ignore[attr-defined]
            for number in ([item] if isinstance(item, int) else numbers(item))
        ]

    assert sorted(numbers(message._instance())) == list(range(len(lines) + 1))


def test_a_segment_alone_tells_its_fields_and_place_and_says_when_its_message_is_gone() -> None:
    """Never an answer as if the message had no other segments."""
    segment = _message("ADT^A01", PID, "OBX|1|NM|A", "OBX|2|NM|B").get("OBX")[1]

    assert segment.get("f3").where == "OBX[2]-3"
    with pytest.raises(ReferenceError):
        _ = segment.message
