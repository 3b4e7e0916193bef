"""The record: resources with history, search index, journal, quarantine, identity keys.

Read in this order: `schema` (the tables and why), `store` (the door), `transaction`,
`writing`, `select` and `finding` (plans to SQL, pages), `including`, `history`, `journal`,
`quarantine`; `session`, `sqlite` and `postgresql` hold what differs between databases.
"""

from fhir_bridge.store.backup import Manifest
from fhir_bridge.store.backup import verify as verify_backup
from fhir_bridge.store.journal import Appended, FeedCounts, JournalEntry, JournalMessage
from fhir_bridge.store.links import LoggedLink
from fhir_bridge.store.quarantine import Quarantined, QuarantineEntry
from fhir_bridge.store.records import Page, Stored, Written
from fhir_bridge.store.store import Store, open_store
from fhir_bridge.store.transaction import Transaction

__all__ = [
    "Appended",
    "FeedCounts",
    "JournalEntry",
    "JournalMessage",
    "LoggedLink",
    "Manifest",
    "Page",
    "QuarantineEntry",
    "Quarantined",
    "Store",
    "Stored",
    "Transaction",
    "Written",
    "open_store",
    "verify_backup",
]
