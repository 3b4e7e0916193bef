"""String functions (http://hl7.org/fhirpath/N1/#string-manipulation, and of later releases)."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Callable
from typing import Any

from fhir_bridge.fhirpath.evaluation import LONGEST, Context, fail, integer, string
from fhir_bridge.fhirpath.node import Node, value_of
from fhir_bridge.fhirpath.patterns import compile_pattern, substitution
from fhir_bridge.fhirpath.registry import function

Items = list[Any]


@function("indexOf", 1)
def _index_of(focus: Items, _context: Context, part: Items) -> Items:
    text, wanted = string(focus, "indexOf()"), string(part, "indexOf()")
    return [] if text is None or wanted is None else [text.find(wanted)]


@function("lastIndexOf", 1)
def _last_index_of(focus: Items, _context: Context, part: Items) -> Items:
    text, wanted = string(focus, "lastIndexOf()"), string(part, "lastIndexOf()")
    return [] if text is None or wanted is None else [text.rfind(wanted)]


@function("substring", 1, 2)
def _substring(focus: Items, _context: Context, start: Items, length: Items | None = None) -> Items:
    text = string(focus, "substring()")
    first = integer(start, "the start of substring()")
    if text is None or first is None or not 0 <= first < len(text):
        return []
    size = integer(length or [], "the length of substring()")
    if size is None:
        return [text[first:]]
    return [text[first : first + max(0, size)]]


def _test(name: str, check: Callable[[str, str], bool]) -> None:
    def call(focus: Items, _context: Context, part: Items) -> Items:
        text, wanted = string(focus, f"{name}()"), string(part, f"{name}()")
        return [] if text is None or wanted is None else [check(text, wanted)]

    function(name, 1)(call)


_test("startsWith", str.startswith)
_test("endsWith", str.endswith)
_test("contains", lambda text, part: part in text)


def _change(name: str, change: Callable[[str], Any]) -> None:
    def call(focus: Items, _context: Context) -> Items:
        text = string(focus, f"{name}()")
        return [] if text is None else [change(text)]

    function(name)(call)


_change("upper", str.upper)
_change("lower", str.lower)
_change("trim", str.strip)
_change("length", len)


@function("toChars")
def _to_chars(focus: Items, _context: Context) -> Items:
    return list(string(focus, "toChars()") or "")


@function("replace", 2)
def _replace(focus: Items, _context: Context, pattern: Items, instead: Items) -> Items:
    text = string(focus, "replace()")
    old, new = string(pattern, "replace()"), string(instead, "replace()")
    if text is None or old is None or new is None:
        return []
    if (text.count(old) + 1) * len(new) + len(text) > LONGEST:
        raise fail(f"the string is longer than {LONGEST} characters")
    return [text.replace(old, new)]


@function("matches", 1, 2)
def _matches(focus: Items, _context: Context, pattern: Items, flags: Items | None = None) -> Items:
    return _matched("matches", focus, pattern, flags, whole=False)


@function("matchesFull", 1, 2)
def _matches_full(
    focus: Items, _context: Context, pattern: Items, flags: Items | None = None
) -> Items:
    return _matched("matchesFull", focus, pattern, flags, whole=True)


def _matched(name: str, focus: Items, pattern: Items, flags: Items | None, *, whole: bool) -> Items:
    text, source = string(focus, f"{name}()"), string(pattern, f"{name}()")
    options = string(flags or [], f"the flags of {name}()") or ""
    if text is None or source is None:
        return []
    compiled = compile_pattern(source, options, len(text))
    found = compiled.fullmatch(text) if whole else compiled.search(text)
    return [found is not None]


@function("replaceMatches", 2, 3)
def _replace_matches(
    focus: Items, _context: Context, pattern: Items, instead: Items, flags: Items | None = None
) -> Items:
    text = string(focus, "replaceMatches()")
    source, template = string(pattern, "replaceMatches()"), string(instead, "replaceMatches()")
    options = string(flags or [], "the flags of replaceMatches()") or ""
    if text is None or source is None or template is None:
        return []
    if not source:
        return [text]
    if len(text) * (len(template) + 1) > 10 * LONGEST:
        raise fail(f"the string is longer than {LONGEST} characters")
    compiled = compile_pattern(source, options, len(text))
    result = compiled.sub(substitution(template, compiled), text)
    if len(result) > LONGEST:
        raise fail(f"the string is longer than {LONGEST} characters")
    return [result]


@function("split", 1)
def _split(focus: Items, _context: Context, separator: Items) -> Items:
    text, mark = string(focus, "split()"), string(separator, "split()")
    if text is None or mark is None:
        return []
    return list(text.split(mark)) if mark else list(text)


@function("join", 0, 1)
def _join(focus: Items, _context: Context, separator: Items | None = None) -> Items:
    mark = string(separator or [], "join()") or ""
    parts = []
    for item in focus:
        value = value_of(item)
        if value is None and type(item) is Node and item.value is None:
            continue
        if not isinstance(value, str):
            raise fail("join() takes strings")
        parts.append(value)
    if sum(map(len, parts)) + len(mark) * len(parts) > LONGEST:
        raise fail(f"the string is longer than {LONGEST} characters")
    return [mark.join(parts)] if parts else []


@function("encode", 1)
def _encode(focus: Items, _context: Context, form: Items) -> Items:
    text, wanted = string(focus, "encode()"), string(form, "encode()")
    if text is None or wanted is None:
        return []
    data = text.encode("utf-8", "surrogatepass")
    if wanted == "hex":
        return [data.hex()]
    if wanted == "base64":
        return [base64.b64encode(data).decode("ascii")]
    if wanted == "urlbase64":
        return [base64.urlsafe_b64encode(data).decode("ascii")]
    return [text.encode("ascii", "replace").decode("ascii")] if wanted == "ascii" else []


@function("decode", 1)
def _decode(focus: Items, _context: Context, form: Items) -> Items:
    text, wanted = string(focus, "decode()"), string(form, "decode()")
    if text is None or wanted is None:
        return []
    try:
        if wanted == "hex":
            data = bytes.fromhex(text)
        elif wanted == "base64":
            data = base64.b64decode(text, validate=True)
        elif wanted == "urlbase64":
            data = base64.b64decode(text, altchars=b"-_", validate=True)
        else:
            return []
    except (ValueError, binascii.Error):
        raise fail(f"decode() cannot read the string as {wanted}") from None
    try:
        return [data.decode("utf-8")]
    except UnicodeDecodeError:
        return []


@function("escape", 1)
def _escape(focus: Items, _context: Context, target: Items) -> Items:
    text, wanted = string(focus, "escape()"), string(target, "escape()")
    if text is None or wanted is None:
        return []
    if wanted == "html":
        return [html.escape(text).replace("&#x27;", "&#39;")]
    return [json.dumps(text, ensure_ascii=False)[1:-1]] if wanted == "json" else []


@function("unescape", 1)
def _unescape(focus: Items, _context: Context, target: Items) -> Items:
    text, wanted = string(focus, "unescape()"), string(target, "unescape()")
    if text is None or wanted is None:
        return []
    if wanted == "html":
        return [html.unescape(text)]
    return [_JSON_ESCAPE.sub(_json_character, text)] if wanted == "json" else []


_JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_JSON_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _json_character(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _JSON_SIMPLE.get(match[2], match[2])
