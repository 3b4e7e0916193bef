"""String functions (http://hl7.org/fhirpath/N1/#string-manipulation, and of later releases)."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Callable
from typing import Any

from fhir_bridge.fhirpath.evaluation import Context, integer, string
from fhir_bridge.fhirpath.functions.registry import function
from fhir_bridge.fhirpath_values import Node, fail, value_of
from fhir_bridge.pattern import compile_pattern

Items = list[Any]
_MAX_ENCODED, _MAX_ESCAPED = 8, 6
"""Characters that one character may become: four bytes in hexadecimal; ``&quot;``."""


@function("indexOf", 1)
def _index_of(focus: Items, context: Context, part: Items) -> Items:
    text, wanted = string(focus, "indexOf()"), string(part, "indexOf()")
    if text is None or wanted is None:
        return []
    context.budget.read(text)
    return [text.find(wanted)]


@function("lastIndexOf", 1)
def _last_index_of(focus: Items, context: Context, part: Items) -> Items:
    text, wanted = string(focus, "lastIndexOf()"), string(part, "lastIndexOf()")
    if text is None or wanted is None:
        return []
    context.budget.read(text)
    return [text.rfind(wanted)]


@function("substring", 1, 2)
def _substring(focus: Items, context: Context, start: Items, length: Items | None = None) -> Items:
    text = string(focus, "substring()")
    first = integer(start, "the start of substring()")
    if text is None or first is None or not 0 <= first < len(text):
        return []
    size = integer(length or [], "the length of substring()")
    end = len(text) if size is None else min(len(text), first + max(0, size))
    context.budget.text(end - first)
    return [text[first:end]]


def _test(name: str, check: Callable[[str, str], bool]) -> None:
    def call(focus: Items, context: Context, part: Items) -> Items:
        text, wanted = string(focus, f"{name}()"), string(part, f"{name}()")
        if text is None or wanted is None:
            return []
        context.budget.read(text)
        return [check(text, wanted)]

    function(name, 1)(call)


_test("startsWith", str.startswith)
_test("endsWith", str.endswith)
_test("contains", lambda text, part: part in text)


def _change(name: str, change: Callable[[str], Any]) -> None:
    def call(focus: Items, context: Context) -> Items:
        text = string(focus, f"{name}()")
        if text is None:
            return []
        context.budget.text(len(text))
        return [change(text)]

    function(name)(call)


_change("upper", str.upper)
_change("lower", str.lower)
_change("trim", str.strip)


@function("length")
def _length(focus: Items, _context: Context) -> Items:
    text = string(focus, "length()")
    return [] if text is None else [len(text)]


@function("toChars")
def _to_chars(focus: Items, context: Context) -> Items:
    text = string(focus, "toChars()") or ""
    context.budget.items(len(text))
    return list(text)


@function("replace", 2)
def _replace(focus: Items, context: Context, pattern: Items, instead: Items) -> Items:
    text = string(focus, "replace()")
    old, new = string(pattern, "replace()"), string(instead, "replace()")
    if text is None or old is None or new is None:
        return []
    context.budget.read(text)
    context.budget.text(len(text) + text.count(old) * len(new))
    return [text.replace(old, new)]


@function("matches", 1, 2)
def _matches(focus: Items, context: Context, pattern: Items, flags: Items | None = None) -> Items:
    return _matched("matches", focus, context, pattern, flags)


@function("matchesFull", 1, 2)
def _matches_full(
    focus: Items, context: Context, pattern: Items, flags: Items | None = None
) -> Items:
    return _matched("matchesFull", focus, context, pattern, flags)


def _matched(
    name: str, focus: Items, context: Context, pattern: Items, flags: Items | None
) -> Items:
    text, source = string(focus, f"{name}()"), string(pattern, f"{name}()")
    options = string(flags or [], f"the flags of {name}()") or ""
    if text is None or source is None:
        return []
    compiled = compile_pattern(source, options)
    match = compiled.search if name == "matches" else compiled.fullmatch
    return [match(text, context.budget)]


@function("replaceMatches", 2, 3)
def _replace_matches(
    focus: Items, context: Context, pattern: Items, instead: Items, flags: Items | None = None
) -> Items:
    text = string(focus, "replaceMatches()")
    source, template = string(pattern, "replaceMatches()"), string(instead, "replaceMatches()")
    options = string(flags or [], "the flags of replaceMatches()") or ""
    if text is None or source is None or template is None:
        return []
    if not source:
        return [text]
    return [compile_pattern(source, options).replace(text, template, context.budget)]


@function("split", 1)
def _split(focus: Items, context: Context, separator: Items) -> Items:
    text, mark = string(focus, "split()"), string(separator, "split()")
    if text is None or mark is None:
        return []
    context.budget.items(text.count(mark) + 1)
    context.budget.text(len(text))
    return list(text.split(mark)) if mark else list(text)


@function("join", 0, 1)
def _join(focus: Items, context: Context, separator: Items | None = None) -> Items:
    mark = string(separator or [], "join()") or ""
    context.budget.items(len(focus))
    parts = []
    for item in focus:
        value = value_of(item)
        if value is None and type(item) is Node and item.value is None:
            continue
        if not isinstance(value, str):
            raise fail("join() takes strings")
        parts.append(value)
    context.budget.text(sum(map(len, parts)) + len(mark) * len(parts))
    return [mark.join(parts)] if parts else []


@function("encode", 1)
def _encode(focus: Items, context: Context, form: Items) -> Items:
    text, wanted = string(focus, "encode()"), string(form, "encode()")
    if text is None or wanted is None:
        return []
    context.budget.text(_MAX_ENCODED * len(text))
    data = text.encode("utf-8", "surrogatepass")
    if wanted == "hex":
        return [data.hex()]
    if wanted == "base64":
        return [base64.b64encode(data).decode("ascii")]
    if wanted == "urlbase64":
        return [base64.urlsafe_b64encode(data).decode("ascii")]
    return [text.encode("ascii", "replace").decode("ascii")] if wanted == "ascii" else []


@function("decode", 1)
def _decode(focus: Items, context: Context, form: Items) -> Items:
    text, wanted = string(focus, "decode()"), string(form, "decode()")
    if text is None or wanted is None:
        return []
    context.budget.text(len(text))
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
def _escape(focus: Items, context: Context, target: Items) -> Items:
    text, wanted = string(focus, "escape()"), string(target, "escape()")
    if text is None or wanted is None:
        return []
    context.budget.text(_MAX_ESCAPED * len(text))
    if wanted == "html":
        return [html.escape(text).replace("&#x27;", "&#39;")]
    return [json.dumps(text, ensure_ascii=False)[1:-1]] if wanted == "json" else []


@function("unescape", 1)
def _unescape(focus: Items, context: Context, target: Items) -> Items:
    text, wanted = string(focus, "unescape()"), string(target, "unescape()")
    if text is None or wanted is None:
        return []
    context.budget.text(len(text))
    if wanted == "html":
        return [html.unescape(text)]
    return [_JSON_ESCAPE.sub(_json_character, text)] if wanted == "json" else []


_JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_JSON_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _json_character(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _JSON_SIMPLE.get(match[2], match[2])
