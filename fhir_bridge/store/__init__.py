"""The record: resources with history and search index, and what each source said of them.

Read in this order: `store` (the door), `transaction`, `write` (versions and index rows), `read`
(pages, includes, history), `select` (a plan's conditions to SQL), `sources` (what identity and
update keep), `opening`, `maintenance` (check, reindex, backup).  The tables, and what differs
between SQLite and PostgreSQL: `fhir_bridge.database`; the messages: `fhir_bridge.journal`.
"""

from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.opening import open_store
from fhir_bridge.store.records import Page, Stored, Written
from fhir_bridge.store.sources.emergencies import Emergency
from fhir_bridge.store.sources.links import LoggedLink
from fhir_bridge.store.sources.persons import PersonRow
from fhir_bridge.store.sources.reviews import ReviewItem, ReviewRow
from fhir_bridge.store.sources.statements import ContainerRow, StatementRow
from fhir_bridge.store.store import Store
from fhir_bridge.store.transaction import Transaction

__all__ = [
    "ContainerRow",
    "Emergency",
    "LoggedLink",
    "Page",
    "PersonRow",
    "ReviewItem",
    "ReviewRow",
    "StatementRow",
    "Store",
    "Stored",
    "Transaction",
    "Written",
    "open_store",
    "resource_key",
]
