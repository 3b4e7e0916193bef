"""What arrives, before and beside the record: messages, what is worked on, what could not be taken.

Read in this order: `message` (what came), `journal` (every message, kept before it is acknowledged), `at_work` (which of
them are being worked on), `quarantine` (what could not be recorded), `unread` (what no map reads).
All of them stand in the database of the record, so that one transaction holds what a message
changes and that it is done.
"""

from fhir_bridge.journal.at_work import AtWork, Begun
from fhir_bridge.journal.journal import (
    Appended,
    FeedCounts,
    Journal,
    JournalMessage,
    Status,
    mark,
    still_pending,
)
from fhir_bridge.journal.message import Message, Refusal
from fhir_bridge.journal.quarantine import Quarantine, Quarantined
from fhir_bridge.journal.quarantine import add as add_to_quarantine
from fhir_bridge.journal.unread import UnreadCounts, UnreadPlace, UnreadTally
from fhir_bridge.journal.unread import count as count_unread

__all__ = [
    "Appended",
    "AtWork",
    "Begun",
    "FeedCounts",
    "Journal",
    "JournalMessage",
    "Message",
    "Quarantine",
    "Quarantined",
    "Refusal",
    "Status",
    "UnreadCounts",
    "UnreadPlace",
    "UnreadTally",
    "add_to_quarantine",
    "count_unread",
    "mark",
    "still_pending",
]
