"""HL7 v2 messages: bytes to lazily split values, answers, and MLLP framing; no I/O.

HL7 v2.5.1, https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144

Read in this order: :mod:`.separators` (MSH-1, MSH-2), :mod:`.charset` (MSH-18 and what
the bytes say), :mod:`.escape`, :mod:`.structure` (segment groups, data in
``structures.toml``), the nodes that maps walk: :mod:`.line`, :mod:`.value`, :mod:`.segment`,
:mod:`.groups`, :mod:`.message` with :mod:`.alike`; :mod:`.parse`,
:mod:`.examine` (may a receiver take it?), :mod:`.acknowledgement`, :mod:`.mllp`.
"""

from __future__ import annotations

from .acknowledgement import acknowledge, answer_code, batch_acknowledgement
from .charset import find_codec
from .escape import escape, unescape
from .examine import examine, is_acknowledgement
from .groups import Group
from .message import Message
from .mllp import Event, Frame, Framer, Oversize, Stray, Torn, frame
from .parse import MAX_MESSAGE_BYTES, parse, render, split_batch
from .segment import Segment
from .separators import Separators
from .structure import events
from .unread import unread
from .value import Value

__all__ = [
    "MAX_MESSAGE_BYTES",
    "Event",
    "Frame",
    "Framer",
    "Group",
    "Message",
    "Oversize",
    "Segment",
    "Separators",
    "Stray",
    "Torn",
    "Value",
    "acknowledge",
    "answer_code",
    "batch_acknowledgement",
    "escape",
    "events",
    "examine",
    "find_codec",
    "frame",
    "is_acknowledgement",
    "parse",
    "render",
    "split_batch",
    "unescape",
    "unread",
]
