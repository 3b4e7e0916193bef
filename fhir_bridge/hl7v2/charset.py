r"""Which characters the bytes mean: MSH-18, the feed's setting, or the bytes themselves.

HL7 v2.5.1 section 2.15.9.18 (MSH-18) and table 0211;
https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144

The second byte of a GB18030 character may be ``|``, ``^``, ``~`` or ``\``, therefore
a message is decoded *before* it is split.  The order of trust: what MSH-18 declares,
what the feed's settings say, UTF-8 if the bytes are valid UTF-8, GB18030.  Bytes that
contradict the declaration are read otherwise only when that is certain, and always
with an issue: text is never stored garbled in silence.
"""

from __future__ import annotations

import re
from functools import lru_cache

from fhir_bridge.errors import BridgeError, Issue

__all__ = ["decode", "find_codec"]

# Table 0211 and the spellings met in the field, folded by _fold, to Python codecs.
_CODECS = {
    "ASCII": "ascii",
    "ISOIR6": "ascii",
    "88591": "iso8859-1",
    "88592": "iso8859-2",
    "88593": "iso8859-3",
    "88594": "iso8859-4",
    "88595": "iso8859-5",
    "88596": "iso8859-6",
    "88597": "iso8859-7",
    "88598": "iso8859-8",
    "88599": "iso8859-9",
    "885915": "iso8859-15",
    "ISO88591": "iso8859-1",
    "ISO885915": "iso8859-15",
    "LATIN1": "iso8859-1",
    "WINDOWS1252": "cp1252",
    "UTF8": "utf-8",
    "UNICODE": "utf-8",
    "UNICODEUTF8": "utf-8",
    "ISO10646UTF8": "utf-8",
    "GB18030": "gb18030",
    "GB180302000": "gb18030",
    "GB180302005": "gb18030",
    "GB180302022": "gb18030",
    "GBK": "gb18030",
    "GB2312": "gb18030",
    "GB23121980": "gb18030",
    "CP936": "gb18030",
    "BIG5": "big5hkscs",
    "KSX1001": "euc_kr",
    "CNS116431992": "euc_tw",
    "ISOIR14": "iso2022_jp_ext",
    "ISOIR87": "iso2022_jp_ext",
    "ISOIR159": "iso2022_jp_ext",
    "ISOIR13": "shift_jis",
}
_WIDE = re.compile(rb"\A(?:\xff\xfe|\xfe\xff|M\x00S\x00H|\x00M\x00S\x00H)")
_HEADER_CODECS = ("utf-8", "gb18030", "iso8859-1")


@lru_cache(maxsize=256)
def find_codec(name: str) -> str | None:
    """The Python codec for a character set as MSH-18 or a feed names it; None if unknown.

    >>> find_codec("GB 18030-2000"), find_codec("UNICODE UTF-8"), find_codec("KLINGON")
    ('gb18030', 'utf-8', None)
    """
    return _CODECS.get(re.sub(r"[^A-Z0-9]", "", name.upper()))


def decode(data: bytes, charset: str | None = None) -> tuple[str, str, list[Issue]]:
    """The text of `data`, the codec that read it, and warnings.

    `charset` is the feed's setting.  Raises FB-1119 for UTF-16, FB-1103 for an unknown
    declared set with bytes beyond ASCII, FB-1104 for bytes that do not fit.
    """
    if _WIDE.match(data):
        raise BridgeError("FB-1119", "MSH-18")
    data = data.removeprefix(b"\xef\xbb\xbf")
    feed_codec = find_codec(charset) if charset else None
    declared = _declared(data)
    if not declared:
        return _decode_undeclared(data, feed_codec)
    codec = _codec_of_repetitions(declared)
    if codec is None:
        if data.isascii():
            return data.decode("ascii"), "ascii", [Issue("FB-1103", "warning", "MSH-18")]
        raise BridgeError("FB-1103", "MSH-18")
    try:
        return data.decode(codec), codec, []
    except UnicodeDecodeError as error:
        return _decode_contradicted(data, codec, feed_codec, error.start)


def _decode_undeclared(data: bytes, feed_codec: str | None) -> tuple[str, str, list[Issue]]:
    for codec in (feed_codec, "utf-8", "gb18030"):
        if codec:
            try:
                text = data.decode(codec)
            except UnicodeDecodeError:
                continue
            contradicted = feed_codec is not None and codec != feed_codec
            issues = [_read_as(codec)] if contradicted else []
            return text, codec, issues
    raise BridgeError("FB-1104", "MSH-18", charset="UTF-8, GB18030")


def _decode_contradicted(
    data: bytes, codec: str, feed_codec: str | None, start: int
) -> tuple[str, str, list[Issue]]:
    """Bytes that the declared set cannot hold: the feed's word, or UTF-8 if it is certain."""
    for other in (feed_codec, "utf-8"):
        if other and other != codec:
            try:
                return data.decode(other), other, [_read_as(other)]
            except UnicodeDecodeError:
                continue
    segment = data.count(b"\r", 0, start) or data.count(b"\n", 0, start)
    raise BridgeError("FB-1104", f"segment {segment + 1}", charset=codec)


def _read_as(codec: str) -> Issue:
    return Issue("FB-1105", "warning", "MSH-18", {"charset": codec})


def _declared(data: bytes) -> str:
    """MSH-18 of the first MSH, raw; an empty string where it is empty, null or absent.

    Line ends are never part of a multi-byte character, so the header can be cut off as
    bytes; its own characters are tried in turn.
    """
    start = data.find(b"MSH")
    if start < 0:
        return ""
    ends = [end for end in (data.find(b"\r", start), data.find(b"\n", start)) if end >= 0]
    header = data[start : min(ends)] if ends else data[start : start + 4096]
    for codec in _HEADER_CODECS:
        try:
            text = header.decode(codec)
        except UnicodeDecodeError:
            continue
        fields = text.split(text[3:4] or "|")
        return fields[17].strip(' "') if len(fields) > 17 else ""
    return ""


@lru_cache(maxsize=256)
def _codec_of_repetitions(declared: str) -> str | None:
    """MSH-18 may repeat: the first set is the default, later ones come by escape sequences."""
    codecs = [find_codec(part) for part in re.split(r"[~\x1f]", declared) if part.strip()]
    known = [codec for codec in codecs if codec]
    return next((codec for codec in known if codec.startswith("iso2022")), None) or (
        codecs[0] if codecs else None
    )
