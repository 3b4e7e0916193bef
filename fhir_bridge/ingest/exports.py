"""Full exports: a row that vanishes from the next file takes its statement back.

A feed whose files are declared a full export (``[table] full_export``) says with each file
all there is.  Its rows are containers within the container of the export; those that a file
did not bring are taken back when the whole file is recorded.  A file with refused rows takes
nothing back: what could not be read is not known to be gone.
"""

from __future__ import annotations

from fhir_bridge.security_labels import Labeller
from fhir_bridge.store import Transaction
from fhir_bridge.update import stamp

from .containers import Containers
from .draft import Draft
from .feed import Feed
from .resolve import Resolver, export_key
from .resolved import Resolved

__all__ = ["take_back_vanished"]


def take_back_vanished(
    transaction: Transaction,
    feed: Feed,
    message: int,
    at: int,
    resolver: Resolver,
    *,
    labeller: Labeller | None = None,
) -> Resolved:
    """Takes back the rows that message `message` did not bring; what was let go of.

    `at` is when the file came (ms since 1970).  Call it when every row of the file is written.
    """
    resolved = Resolved(at=stamp(at, message))
    vanished = transaction.containers_within(export_key(feed), message)
    if not vanished:
        return resolved
    draft = Draft(transaction, labeller)
    containers = Containers(draft, resolver.stating(draft), resolved, message)
    for row in vanished:
        containers.take_back(row.key, row.source)
    draft.apply()
    return resolved
