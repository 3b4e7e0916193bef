"""What the next message about a thing changes: the one rule of update.

For every element that a source may say something about: absent leaves what is known, an
explicit null takes this source's statement back, a present value replaces what this source
said before and never what another source said.  Items of lists are told apart by what they
are, not by their place; an older statement never replaces a newer one.

`slots` takes a resource apart into what is stated one by one, `statement` is what one source
said and when, `fold` makes one resource of what all sources said, `retired` is what is left
when nobody says it any more, `stamp` puts events in order, `client` is what a client of the
REST interface changed.  Which elements belong together is data: ``mappings/update.toml``.  In
words: docs/update.md.
"""

from __future__ import annotations

from .client import client_statement
from .fold import fold, folded_slots
from .marked import unmarked
from .retired import is_retired, retired
from .rules import UpdateRules, load_update_rules
from .slots import Slots, resource_of, slots_of
from .stamp import LAST, milliseconds, stamp
from .statement import (
    REST,
    SourceStatement,
    merge,
    read_statement,
    stated_at,
    statement_of,
    stored_time,
)

__all__ = [
    "LAST",
    "REST",
    "Slots",
    "SourceStatement",
    "UpdateRules",
    "client_statement",
    "fold",
    "folded_slots",
    "is_retired",
    "load_update_rules",
    "merge",
    "milliseconds",
    "read_statement",
    "resource_of",
    "retired",
    "slots_of",
    "stamp",
    "stated_at",
    "statement_of",
    "stored_time",
    "unmarked",
]
