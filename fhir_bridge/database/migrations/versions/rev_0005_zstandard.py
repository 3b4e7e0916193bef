"""Bodies may be compressed by Zstandard (``compressed`` 3), which older releases cannot read.

No table changes: the revision is what keeps an older release from opening the record.
"""

from __future__ import annotations

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Stored bodies stay as they are; new ones take the new form."""


def downgrade() -> None:
    """Only a backup of before goes back to an older release."""
