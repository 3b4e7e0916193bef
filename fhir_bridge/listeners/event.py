"""What a connection brought: a frame to take, one to refuse, or bytes that are no frame."""

from __future__ import annotations

import time
from dataclasses import dataclass

from fhir_bridge import hl7v2
from fhir_bridge.errors import Issue

from .admission import Admission, admit
from .connection import Connection
from .notes import Notes

__all__ = ["Taken", "look"]

_MAX_STRAYS = 65536  # bytes outside frames before a peer is taken for something else


@dataclass(frozen=True, slots=True)
class Taken:
    """One frame of this round and what is to be done with it."""

    connection: Connection
    payload: bytes
    admission: Admission


def look(connection: Connection, event: hl7v2.Event, notes: Notes) -> Taken | None:
    """The frame to take or to answer; what is no frame is noted, and None."""
    feed, now = connection.feed, time.monotonic()
    match event:
        case hl7v2.Frame(payload):
            return Taken(connection, payload, admit(payload, feed))
        case hl7v2.Torn(payload, restarted):
            seconds = str(feed.listener.frame_seconds)
            code = "FB-1134" if connection.expired else "FB-1131"
            issue = Issue(code, details={"seconds": seconds})
            notes.add("mllp_torn", feed.name, issue.code, now)
            if restarted or connection.closing:
                return None
            return Taken(connection, payload, Admission(issues=[issue]))
        case hl7v2.Oversize(beginning):
            issue = Issue("FB-1132", details={"limit": str(feed.listener.largest_frame)})
            connection.closing = True
            return Taken(connection, beginning, Admission(issues=[issue]))
        case hl7v2.Stray(count):
            connection.strays += count
            notes.add("mllp_stray", feed.name, "FB-1133", now)
            connection.closing = connection.closing or connection.strays > _MAX_STRAYS
            return None
