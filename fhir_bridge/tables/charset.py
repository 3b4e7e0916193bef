"""Bytes of a table to lines of text, in the charset the bytes show.

Order of evidence: the charset that the feed names, a byte-order mark, NUL bytes (UTF-16
without a mark), UTF-8 that decodes, else GB18030 (GB 18030-2022), which every Chinese
export that is not Unicode fits.  A file that is plain ASCII at its start is decided at its
first byte beyond ASCII, so a long file is never read twice.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from io import BufferedReader, RawIOBase, TextIOWrapper
from typing import BinaryIO, cast

from fhir_bridge.errors import BridgeError

__all__ = ["MAX_LINE", "decoded_lines"]

MAX_LINE = 1 << 20
_SAMPLE = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ALIASES = {"gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030", "utf8": "utf-8"}


def decoded_lines(stream: BinaryIO, charset: str | None = None) -> Iterator[str]:
    """Lines of `stream` with their line ends, decoded; the stream stays open.

    Raises BridgeError FB-1301 at the line whose bytes do not fit, FB-1304 when a line is
    longer than MAX_LINE bytes.
    """
    buffered = BufferedReader(cast(RawIOBase, stream), _SAMPLE)
    try:
        start = buffered.peek(_SAMPLE)
        name = _charset_of(charset, start)
        wide = name is not None and name.startswith(("utf-16", "utf-32"))
        if wide or (b"\n" not in start and b"\r" in start):
            yield from _text_lines(buffered, name or "utf-8")
        else:
            yield from _byte_lines(buffered, name)
    finally:
        if not buffered.closed:
            buffered.detach()


def _charset_of(charset: str | None, start: bytes) -> str | None:
    """The charset that is sure from the outset, or None."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    if charset:
        name = charset.strip().lower().replace("_", "-").replace(" ", "")
        return _ALIASES.get(name, name)
    if start[1::2].count(0) * 4 > len(start):
        return "utf-16-le"
    if start[0::2].count(0) * 4 > len(start):
        return "utf-16-be"
    return None


def _byte_lines(buffered: BufferedReader[RawIOBase], charset: str | None) -> Iterator[str]:
    number = 0
    while line := buffered.readline(MAX_LINE):
        number += 1
        if len(line) >= MAX_LINE:
            raise BridgeError("FB-1304", f"line {number}", limit=MAX_LINE)
        if charset is None and not line.isascii():
            charset = _utf8_or_gb(line, buffered.peek())
        yield _decoded(line, charset or "utf-8", number)
        if charset == "utf-8-sig":
            charset = "utf-8"


def _utf8_or_gb(line: bytes, following: bytes) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(line)
        decoder.decode(following)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _decoded(line: bytes, charset: str, number: int) -> str:
    try:
        return line.decode(charset)
    except (UnicodeDecodeError, LookupError):
        raise BridgeError("FB-1301", f"line {number}", charset=charset) from None


def _text_lines(buffered: BufferedReader[RawIOBase], charset: str) -> Iterator[str]:
    """Two-byte charsets, and old Macintosh files whose lines end with a carriage return."""
    text = TextIOWrapper(buffered, encoding=charset)
    number = 0
    try:
        while line := text.readline(MAX_LINE):
            number += 1
            if len(line) >= MAX_LINE:
                raise BridgeError("FB-1304", f"line {number}", limit=MAX_LINE)
            yield line
    except (UnicodeDecodeError, LookupError):
        raise BridgeError("FB-1301", f"line {number + 1}", charset=charset) from None
    finally:
        text.detach()
