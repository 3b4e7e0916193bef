"""MLLP framing without sockets: bytes in, events out.

https://www.hl7.org/documentcenter/public/wg/inm/mllp_transport_specification.PDF

HL7 Minimal Lower Layer Protocol, release 1 (HL7 v2 implementation guide, appendix C)::

    <VT> payload <FS> <CR>        VT = 0x0B, FS = 0x1C, CR = 0x0D

The states and what each does with the next interesting byte:

========= ================= ==================== ==================== =================
state     VT                FS                   CR                   other bytes
========= ================= ==================== ==================== =================
OUTSIDE   → INSIDE          stray                skipped              stray (blanks are skipped)
INSIDE    torn, → INSIDE    → ENDING             payload              payload
ENDING    frame, → INSIDE   torn, → OUTSIDE      frame, → OUTSIDE     torn, → OUTSIDE (LF: frame)
CLOSED    –                 –                    –                    ignored
========= ================= ==================== ==================== =================

Tolerant: a missing CR after FS is forgiven when a new frame begins, an LF comes, or the
line falls silent (:meth:`Framer.idle`).  Bounded: a payload beyond `limit` gives one
:class:`Oversize` and the framer stays closed; no more than `limit` bytes are ever held.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

__all__ = ["Event", "Frame", "Framer", "Oversize", "Stray", "Torn", "frame"]

_VT, _FS, _CR, _LF = b"\x0b", b"\x1c", b"\x0d", b"\x0a"
_BLANK = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole payload."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Torn:
    """A frame that was cut off.  `restarted`: a new frame began at once (by VT)."""

    payload: bytes
    restarted: bool


@dataclass(frozen=True, slots=True)
class Stray:
    """Bytes outside any frame (blanks and line ends are not counted)."""

    count: int


@dataclass(frozen=True, slots=True)
class Oversize:
    """A payload beyond the limit; `beginning` is enough of it to read the header."""

    beginning: bytes


Event = Frame | Torn | Stray | Oversize


class _State(Enum):
    OUTSIDE = auto()
    INSIDE = auto()
    ENDING = auto()
    CLOSED = auto()


class Framer:
    """Cuts a byte stream into frames.  One per connection."""

    def __init__(self, limit: int = 16 * 1024 * 1024) -> None:
        self._limit = limit
        self._state = _State.OUTSIDE
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def open_frame(self) -> bool:
        """Whether a frame has begun and is not complete."""
        return self._state in {_State.INSIDE, _State.ENDING}

    @property
    def ending(self) -> bool:
        """Whether only the last CR is missing."""
        return self._state is _State.ENDING

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes, in order."""
        events: list[Event] = []
        position = 0
        while position < len(data) and self._state is not _State.CLOSED:
            if self._state is _State.OUTSIDE:
                position = self._skip_to_frame(data, position, events)
            elif self._state is _State.INSIDE:
                position = self._read_payload(data, position, events)
            else:
                position = self._end_frame(data, position, events)
        return events

    def idle(self) -> list[Event]:
        """The peer is silent: a frame that only lacks its CR is taken as whole."""
        return [self._complete(_State.OUTSIDE)] if self._state is _State.ENDING else []

    def close(self) -> list[Event]:
        """The peer is gone: what is left is torn, or whole if only its CR is missing."""
        if self._state is _State.INSIDE:
            self._state = _State.CLOSED
            return [Torn(self._take(), restarted=False)]
        return self.idle()

    def _skip_to_frame(self, data: bytes, position: int, events: list[Event]) -> int:
        start = data.find(_VT, position)
        end = len(data) if start < 0 else start
        stray = len(data[position:end].translate(None, _BLANK))
        if stray:
            events.append(Stray(stray))
        if start >= 0:
            self._state = _State.INSIDE
        return end + 1

    def _read_payload(self, data: bytes, position: int, events: list[Event]) -> int:
        end = data.find(_FS, position)
        restart = data.find(_VT, position, end if end >= 0 else len(data))
        if restart >= 0:
            self._hold(data[position:restart], events)
            if self._state is _State.INSIDE:
                events.append(Torn(self._take(), restarted=True))
            return restart + 1
        stop = len(data) if end < 0 else end
        self._hold(data[position:stop], events)
        if end >= 0 and self._state is _State.INSIDE:
            self._state = _State.ENDING
        return stop + 1

    def _end_frame(self, data: bytes, position: int, events: list[Event]) -> int:
        byte = data[position : position + 1]
        if byte in {_CR, _LF}:
            events.append(self._complete(_State.OUTSIDE))
        elif byte == _VT:
            events.append(self._complete(_State.INSIDE))
        else:
            self._state = _State.OUTSIDE
            events.append(Torn(self._take(), restarted=False))
        return position + 1

    def _hold(self, piece: bytes, events: list[Event]) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            self._state = _State.CLOSED
            beginning = b"".join(self._pieces) + piece
            events.append(Oversize(beginning[:4096]))
            self._pieces.clear()
        elif piece:
            self._pieces.append(piece)

    def _complete(self, state: _State) -> Frame:
        self._state = state
        return Frame(self._take())

    def _take(self) -> bytes:
        payload = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return payload


def frame(payload: bytes) -> bytes:
    r"""`payload` as one frame.

    >>> frame(b"MSH|")
    b'\x0bMSH|\x1c\r'
    """
    return _VT + payload + _FS + _CR
