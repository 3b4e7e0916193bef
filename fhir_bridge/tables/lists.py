"""The values of a list in one cell, and the code, words and detail of each.

Forms are filled as ``2;3``, ``2,3``, ``2；3、4``, ``2.高血压 3.糖尿病``, ``②③``, ``☑高血压 □糖尿病``,
``高血压（2015年3月）``, ``2@2015-03``.  Separators inside brackets separate nothing.
"""

from __future__ import annotations

import re

__all__ = ["code_and_detail", "is_denial", "split_items"]

_SEPARATORS = frozenset(";；|、,，\n")
_OPEN, _CLOSE = frozenset("(（[【"), frozenset(")）]】")
_DETAIL = re.compile(r"(?<!\s)\s*[@:：]\s*")
_BRACKETED = re.compile(r"(?P<code>[^(（]+?)\s*[(（](?P<detail>[^()（）]*)[)）]")
_NUMBERED = re.compile(r"[(（]?[0-9]{1,2}\s*[.．、)）]\s*(?P<words>[^0-9\s].*)", re.DOTALL)
_NUMBERS_AND_WORDS = re.compile(r"(?:[0-9]{1,2}[.．][^0-9.．]+){2,}")
_NEXT_NUMBER = re.compile(r"(?<!\s)\s*(?=(?<![0-9])[0-9]{1,2}[.．][^0-9])")
_ONE_OPTION = re.compile(r"[0-9]{1,2}(?:\s*[.．@:：][^\s]*)?")
_DENIAL = re.compile(r"(均|都|皆)?(无|否认|没有|未患)[^,，;；。|\n有患但]*、[^,，;；。|\n有患但]*")
_THERE_IS = frozenset({"有", "是"})  # a flag before what there is
_OPTIONS_BY_SLASH = re.compile(r"[0-9]{1,2}(?:\s*[/／]\s*[0-9]{1,2})+")
_CIRCLED = {0x2460 + n: f";{n + 1}." for n in range(20)}
_TICKED, _UNTICKED = "☑☒√✓✔■●", "□☐○"
_MARK = re.compile(f"([{_TICKED}{_UNTICKED}])")


def split_items(text: str) -> list[str]:
    """The values of the list `text`, in order, blanks left out.

    >>> split_items("2；3、4"), split_items("2.高血压 3.糖尿病"), split_items("□无 ☑高血压")
    (['2', '3', '4'], ['2.高血压', '3.糖尿病'], ['高血压'])
    >>> split_items("高血压（2015年，服药）;②")
    ['高血压（2015年，服药）', '2']
    """
    if _MARK.search(text):
        text = _ticked(text)
    if any(0x2460 <= ord(character) < 0x2474 for character in text):
        text = text.translate(_CIRCLED)
    items = []
    for part in _outside_brackets(text):
        items += _by_numbers(part)
    named = [item for item in (one.strip().rstrip(".") for one in items) if item]
    return [item for item in named if item not in _THERE_IS] or named


def is_denial(text: str) -> bool:
    """Whether `text` is one sentence that denies several things.

    >>> is_denial("无高血压、糖尿病病史"), is_denial("无高血压，有糖尿病")
    (True, False)
    """
    return _DENIAL.fullmatch(text) is not None


def code_and_detail(item: str) -> tuple[str, str]:
    """What an item names, and what it says of it.

    Words count more than the number before them, because editions of a form number their
    options differently.

    >>> code_and_detail("2@2015-03"), code_and_detail("2.高血压（2015年）")
    (('2', '2015-03'), ('高血压', '2015年'))
    """
    split = _DETAIL.split(item, maxsplit=1)
    code, detail = split[0], split[1] if len(split) > 1 else ""
    if detail and code.strip() in _THERE_IS:
        return code_and_detail(detail)
    if not detail and (bracketed := _BRACKETED.fullmatch(code)):
        code, detail = bracketed["code"], bracketed["detail"]
    if numbered := _NUMBERED.fullmatch(code):
        code = numbered["words"]
    return code.strip(), detail.strip()


def _outside_brackets(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        if character in _OPEN:
            depth += 1
        elif character in _CLOSE:
            depth = max(0, depth - 1)
        elif depth == 0 and character in _SEPARATORS:
            if character == "、" and _is_number_mark(text, start, position):
                continue
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _is_number_mark(text: str, start: int, position: int) -> bool:
    """``2、高血压``: the mark belongs to the number of an option, it separates nothing."""
    before, after = text[start:position].strip(), text[position + 1 : position + 2]
    return before.isascii() and before.isdigit() and bool(after) and not after[0].isdigit()


def _by_numbers(part: str) -> list[str]:
    """``2.高血压 3.糖尿病``, ``2/3`` and ``2 3`` are lists too."""
    if _NUMBERS_AND_WORDS.fullmatch(part.strip()):
        return _NEXT_NUMBER.split(part)
    if _OPTIONS_BY_SLASH.fullmatch(part.strip()):
        return re.split("[/／]", part)
    pieces = part.split()
    if len(pieces) > 1 and all(_ONE_OPTION.fullmatch(piece) for piece in pieces):
        return pieces
    return [part]


def _ticked(text: str) -> str:
    """The options that are ticked, separated; an option without any mark counts as it is."""
    pieces = _MARK.split(text)
    if not any(mark in _UNTICKED for mark in pieces[1::2]):
        return ";".join(filter(str.strip, pieces[0::2]))
    before = not pieces[0].strip()  # the mark is before its option, or after it
    options = pieces[2::2] if before else pieces[0:-1:2]
    marks = pieces[1::2]
    return ";".join(option for mark, option in zip(marks, options, strict=False) if mark in _TICKED)
