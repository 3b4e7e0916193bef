"""What keeps the record sound and moves it: check, reindex, relabel, backup and restore.

Above the store, which knows none of it.  Read in this order: `revision` (which rules the index was
made by), `index_rows` (stored and expected rows), `reindex`, `check` with `dangling` and
`shared_identities`, `backup`.
"""

from fhir_bridge.store.maintenance.backup import Manifest, back_up, restore, verify
from fhir_bridge.store.maintenance.checking import Checked, check
from fhir_bridge.store.maintenance.reindexing import reindex
from fhir_bridge.store.maintenance.relabelling import relabel
from fhir_bridge.store.maintenance.revision import index_issues, outdated_types
from fhir_bridge.store.maintenance.shared_identities import AllNumbers

__all__ = [
    "AllNumbers",
    "Checked",
    "Manifest",
    "back_up",
    "check",
    "index_issues",
    "outdated_types",
    "reindex",
    "relabel",
    "restore",
    "verify",
]
