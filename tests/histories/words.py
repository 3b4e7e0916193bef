"""The elements that events speak of, and values for them.

Values are symbols that mean the same in every history; numbers get the history's own
prefix when they are rendered, so that many histories share one record and never meet.
"""

from __future__ import annotations

__all__ = [
    "BORN",
    "CITIZENS",
    "DOCTORS",
    "ELEMENTS",
    "EVENT_REASON",
    "NULLABLE",
    "SEX",
    "born",
    "full_name",
    "value",
]

ELEMENTS = {
    "person": ("address", "home", "work", "marital"),
    "visit": ("class", "bed", "doctor", "admitted", "service"),
    "order": ("note", "requester", "authored", "priority"),
    "document": ("author", "text", "docstatus", "about"),
    "appointment": ("start", "reason", "comment"),
}
"""What a full message says beside number, name, birth date, sex and status."""

EVENT_REASON = "ROUTINE"
"""Why an event of an appointment is sent; shown while nobody says the appointment's reason."""

NULLABLE = {
    "person": ("address", "home", "work", "marital"),
    "visit": ("bed", "doctor", "admitted", "service"),
    "order": ("note", "requester", "authored", "priority"),
    "document": ("author",),
    "appointment": ("reason", "comment"),
}
"""What may be taken back without leaving something that nothing can be said of."""


BORN = ("1955-03-12", "1962-11-30", "1970-06-05", "1988-02-29")
SEX = ("male", "female", "male", "female")
CITIZENS = ("n0", "n1", "", "")
"""The persons of a history: two with a citizen number that links, two without."""

DOCTORS = {"D1": "李医", "D2": "王医", "D3": "赵医", "D4": "孙医"}

_FAMILIES = "钱周吴郑"
_GIVEN = "一二三四五六七八九十甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
_CODES = {
    "marital": ("M", "S", "D", "W"),
    "class": ("I", "O", "E"),
    "service": ("CAR", "MED", "SUR", "PUL"),
    "priority": ("R", "S", "A"),
    "docstatus": ("AU", "PA", "LA"),
    "about": ("DS", "HP", "OP", "CN"),
    "flag": ("H", "L", "N", "HH"),
}


def full_name(person: int, count: int) -> str:
    """The `count`-th name of a person: a family name of one character and two more."""
    tens, ones = divmod(count, len(_GIVEN))
    return _FAMILIES[person] + _GIVEN[tens % len(_GIVEN)] + _GIVEN[ones]


def born(person: int, count: int) -> str:
    """The birth date, or one of the wrong ones (`count` from 1) that a correction mends."""
    date = BORN[person]
    return (
        date if count == 0 else f"{date[:2]}{(int(date[2:4]) + count) % 100:02}-0{1 + count % 9}-15"
    )


def value(name: str, count: int, speaker: str) -> str:
    """A value of an element that no other event of the history gives it, where that can be."""
    if name in _CODES:
        return _CODES[name][count % len(_CODES[name])]
    if name in ("doctor", "requester", "author"):
        return f"D{1 + count % len(DOCTORS)}"
    if name in ("admitted", "authored", "start"):
        return f"2026-02-{1 + count % 28:02}T{count // 28 % 24:02}:30:00+08:00"
    if name == "bed":
        return f"W{1 + count % 3} {100 + count} {1 + count % 4}"
    if name in ("home", "work", "phone"):
        return f"13{'ABCD'.index(speaker)}{'78'[name == 'work']}{count:07}"
    return {
        "address": f"河东路{count}号{speaker}",
        "note": f"cough for {count} days",
        "text": f"line one {count}",
        "reason": f"check {count}",
        "comment": f"bring papers {count}",
        "value": f"{3 + count / 10:.1f}",
    }[name]
