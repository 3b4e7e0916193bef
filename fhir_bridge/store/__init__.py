"""The record: resources with history, search index, journal, quarantine, identity keys.

Read in this order: `schema` (the tables and why), `store` (the door), `transaction`,
`writing`, `select` and `finding` (plans to SQL, pages), `including`, `history`, `journal`,
`quarantine`; `session`, `sqlite` and `postgresql` hold what differs between databases.
"""

from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.at_work import Begun
from fhir_bridge.store.backup import Manifest
from fhir_bridge.store.backup import verify as verify_backup
from fhir_bridge.store.faults import is_storage_fault
from fhir_bridge.store.held import HeldItem, HeldRow
from fhir_bridge.store.journal import Appended, FeedCounts, JournalEntry, JournalMessage
from fhir_bridge.store.links import LoggedLink
from fhir_bridge.store.persons import PersonRow
from fhir_bridge.store.quarantine import Quarantined, QuarantineEntry
from fhir_bridge.store.records import Page, Stored, Written, moment_of
from fhir_bridge.store.statements import ContainerRow, StatementRow
from fhir_bridge.store.store import Store, open_store
from fhir_bridge.store.transaction import Transaction
from fhir_bridge.store.unread import UnreadCounts, UnreadPlace, UnreadTally

__all__ = [
    "Appended",
    "Begun",
    "ContainerRow",
    "FeedCounts",
    "HeldItem",
    "HeldRow",
    "JournalEntry",
    "JournalMessage",
    "LoggedLink",
    "Manifest",
    "Page",
    "PersonRow",
    "QuarantineEntry",
    "Quarantined",
    "StatementRow",
    "Store",
    "Stored",
    "Transaction",
    "UnreadCounts",
    "UnreadPlace",
    "UnreadTally",
    "Written",
    "is_storage_fault",
    "moment_of",
    "open_store",
    "resource_key",
    "verify_backup",
]
