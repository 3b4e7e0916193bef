"""HL7 v2.5.1 messages of events, written from the standard's segment tables.

Chapters 3 (ADT), 4 (ORM), 7 (ORU), 9 (MDM) and 10 (SIU).  A field that an event does not
speak of is empty; what it takes back is ``""``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from tests.histories.events import NULL, Event, Value
from tests.histories.numbers import Numbers, moment
from tests.histories.words import DOCTORS, EVENT_REASON

__all__ = ["AUTHORITY", "TESTS", "message"]

AUTHORITY = {"A": "JCCH", "B": "HTWO"}
TESTS = {
    "GLU": ("2345-7", "Glucose", "mmol/L"),
    "NA": ("2951-2", "Sodium", "mmol/L"),
    "K": ("2823-3", "Potassium", "mmol/L"),
}
_STRUCTURE = {
    "A01": "ADT^A01^ADT_A01", "A02": "ADT^A02^ADT_A02", "A03": "ADT^A03^ADT_A03",
    "A08": "ADT^A08^ADT_A01", "A11": "ADT^A11^ADT_A09", "A13": "ADT^A13^ADT_A01",
    "A28": "ADT^A28^ADT_A05", "A31": "ADT^A31^ADT_A05", "A40": "ADT^A40^ADT_A39",
    "A45": "ADT^A45^ADT_A45", "O01": "ORM^O01^ORM_O01", "R01": "ORU^R01^ORU_R01",
    "T02": "MDM^T02^MDM_T02", "T08": "MDM^T08^MDM_T02", "T10": "MDM^T10^MDM_T02",
    "T11": "MDM^T11^MDM_T01", "S12": "SIU^S12^SIU_S12", "S13": "SIU^S13^SIU_S12",
    "S14": "SIU^S14^SIU_S12", "S15": "SIU^S15^SIU_S12", "S26": "SIU^S26^SIU_S12",
}  # fmt: skip
_SEX = {"male": "M", "female": "F"}


def message(event: Event, numbers: Numbers, control: str) -> bytes:
    """The message that says what `event` says, with the control id `control`."""
    return _Message(event, numbers).bytes(control)


class _Message:
    """One message on its way to bytes."""

    def __init__(self, event: Event, numbers: Numbers) -> None:
        self.event, self.numbers = event, numbers
        self.authority = AUTHORITY[event.source]
        self.says = event.says

    def bytes(self, control: str) -> bytes:
        event, at = self.event, _stamp(self.event.minute)
        facility = self.authority
        segments = [
            f"MSH|^~\\&|HIS|{facility}|FB|C1|{at}||{_STRUCTURE[event.act]}|{control}|P|2.5.1|||||||UNICODE UTF-8",
        ]
        if event.act[0] in "AT":
            segments.append(f"EVN|{event.act}|{at}")
        siu = event.act[0] == "S"
        if siu:
            segments += self._sch()
        segments += [self._pid(), *self._mrg(), *self._pv1(), *self._al1()]
        segments += [*self._order(), *self._report(), *self._document()]
        if siu:
            segments += ["RGS|1|A", "AIS|1|A|CONS^Consultation^L"]
        return "".join(f"{each}\r" for each in segments).encode()

    # --- persons and visits -----------------------------------------------------------

    def _pid(self) -> str:
        said = self.says.get("person", {})
        return _segment(
            "PID",
            {
                1: "1",
                3: self._cx(self.event.number, "MR"),
                5: _name(said),
                7: str(said.get("born", "")).replace("-", ""),
                8: _SEX.get(str(said.get("sex", "")), ""),
                11: _put(said, "address", "{}^^^^^CHN"),
                13: _put(said, "home", "{}^PRN^PH"),
                14: _put(said, "work", "{}^WPN^PH"),
                16: _put(said, "marital", "{}"),
                19: self.numbers.citizen(str(said["citizen"])) if "citizen" in said else "",
            },
        )

    def _mrg(self) -> list[str]:
        event = self.event
        if event.act == "A40":
            return [_segment("MRG", {1: self._cx(event.other, "MR")})]
        if event.act == "A45":
            visit = f"{self.numbers.of(event.other)}^^^{self.authority}"
            return [
                _segment("MRG", {1: self._cx(str(self.says["moved"]["from"]), "MR"), 5: visit}),
                _segment("PV1", {1: "1", 19: visit}),
            ]
        return []

    def _pv1(self) -> list[str]:
        said = self.says.get("visit")
        if said is None:
            if self.event.act in ("A08", "A28", "A31", "A40"):
                return ["PV1|1|N"] if self.event.act != "A40" else []
            return []
        return [
            _segment(
                "PV1",
                {
                    1: "1",
                    2: str(said.get("class", "")),
                    3: _bed(said),
                    7: _doctor(said, "doctor"),
                    10: _put(said, "service", "{}"),
                    19: f"{self.numbers.of(str(said['number']))}^^^{self.authority}^VN",
                    44: _time(said, "admitted"),
                    45: _time(said, "discharged"),
                },
            )
        ]

    def _al1(self) -> list[str]:
        named = self.says.get("allergies", {}).get("allergies", ())
        return [
            _segment("AL1", {1: str(place), 2: "DA", 3: f"{code.upper()}^{code}^L"})
            for place, code in enumerate(named, 1)
        ]

    # --- orders, results, documents, appointments -------------------------------------

    def _order(self) -> list[str]:
        said = self.says.get("order")
        if said is None:
            return []
        placer = self.numbers.of(str(said["number"]))
        status = str(said.get("status", ""))
        control = status if status in ("NW", "CA", "DC", "HD") else "SC"
        orc = {
            1: control,
            2: placer,
            5: status if control == "SC" else "",
            9: _time(said, "authored"),
            12: _doctor(said, "requester"),
        }
        obr = {
            1: "1", 2: placer, 4: "71045^CHEST^L", 5: _put(said, "priority", "{}"),
            13: _put(said, "note", "{}"), 16: _doctor(said, "requester"),
        }  # fmt: skip
        return [_segment("ORC", orc), _segment("OBR", obr)]

    def _report(self) -> list[str]:
        said = self.says.get("report")
        if said is None:
            return []
        number = self.numbers.of(str(said["number"]))
        obr = {
            1: "1", 2: number, 3: f"{number}F", 4: "24323-8^Panel^LN", 7: "20260301090000",
            22: _stamp(self.event.minute), 24: "LAB", 25: str(said["status"]),
        }  # fmt: skip
        segments = [_segment("OBR", obr)]
        results = [words for kind, words in self.says.items() if kind.startswith("result")]
        for words in results:
            code, name, unit = TESTS[str(words["code"])]
            obx = {
                1: str(list(TESTS).index(str(words["code"])) + 1), 2: "NM", 3: f"{code}^{name}^LN",
                5: _put(words, "value", "{}"), 6: unit if "value" in words else "",
                8: _put(words, "flag", "{}"), 11: str(words["status"]),
            }  # fmt: skip
            segments.append(_segment("OBX", obx))
        return segments

    def _document(self) -> list[str]:
        said = self.says.get("document")
        if said is None:
            return []
        txa = {
            1: "1", 2: _put(said, "about", "{}"), 3: "TX" if "text" in said else "",
            9: _doctor(said, "author"), 12: self.numbers.of(str(said["number"])),
            13: self.numbers.of(self.event.other) if self.event.other else "",
            17: str(said.get("docstatus", "")),
        }  # fmt: skip
        segments = [_segment("TXA", txa)]
        if "text" in said:
            segments.append(
                _segment(
                    "OBX", {1: "1", 2: "TX", 3: "REPORT^Report^L", 5: str(said["text"]), 11: "F"}
                )
            )
        return segments

    def _sch(self) -> list[str]:
        said = self.says["appointment"]
        start = _time(said, "start")
        end = ""
        if start:
            end = (datetime.strptime(start, "%Y%m%d%H%M%S%z") + timedelta(minutes=30)).strftime(
                "%Y%m%d%H%M%S%z"
            )
        number = self.numbers.of(str(said["number"]))
        comment = _put(said, "comment", "{}")
        sch = _segment(
            "SCH",
            {
                1: number, 2: f"{number}F", 6: EVENT_REASON, 7: _put(said, "reason", "{}", coded=True),
                11: f"^^^{start}^{end}" if start else "",
            },
        )  # fmt: skip
        return [sch, *([_segment("NTE", {1: "1", 3: comment})] if comment else [])]

    def _cx(self, number: str, kind: str) -> str:
        return f"{self.numbers.of(number)}^^^{self.authority}^{kind}"


def _segment(name: str, fields: Mapping[int, str]) -> str:
    last = max((place for place, text in fields.items() if text), default=0)
    return "|".join([name, *(fields.get(place, "") for place in range(1, last + 1))])


def _put(said: Mapping[str, Value], name: str, form: str, *, coded: bool = False) -> str:
    if name not in said:
        return ""
    if said[name] == NULL:
        return '""'
    text = str(said[name])
    return f"^{text}" if coded else form.format(text)


def _name(said: Mapping[str, Value]) -> str:
    name = str(said.get("name", ""))
    return f"{name[0]}^{name[1:]}" if name else ""


def _bed(said: Mapping[str, Value]) -> str:
    text = _put(said, "bed", "{}")
    return text.replace(" ", "^")


def _doctor(said: Mapping[str, Value], name: str) -> str:
    text = _put(said, name, "{}")
    return f"{text}^{DOCTORS[text][0]}^{DOCTORS[text][1:]}" if text in DOCTORS else text


def _time(said: Mapping[str, Value], name: str) -> str:
    text = _put(said, name, "{}")
    return text.replace("-", "").replace("T", "").replace(":", "") if text != '""' else text


def _stamp(minute: int) -> str:
    return f"{moment(minute):%Y%m%d%H%M%S}+0800"
