"""Statements are ordered by event time and receipt in one number, a stamp.

What was said until now has its time (ms since 1970) and no receipt: it is older than whatever
else comes of the same moment.
"""

from __future__ import annotations

import json
from typing import Any

from alembic import op
from sqlalchemy import bindparam, column, table

revision = "0006"
down_revision = "0005"

_BITS = 20
_PAGE = 500
_WITH_TIMES = {"statement": ("key", "source", "level"), "identity_statement": ("feed", "key")}


def upgrade() -> None:
    """Every time becomes a stamp."""
    for name in ("container", *_WITH_TIMES):
        times = table(name, column("at"))
        op.get_bind().execute(times.update().values(at=times.c.at * (1 << _BITS)))
    for name, key in _WITH_TIMES.items():
        _upgrade_times(name, key)


def downgrade() -> None:
    """Only a backup of before goes back to an older release."""


def _upgrade_times(name: str, key: tuple[str, ...]) -> None:
    rows = table(name, *map(column, key), column("times"))
    keys = [rows.c[each] for each in key]
    asked = rows.select().with_only_columns(*keys, rows.c.times).where(rows.c.times.is_not(None))
    known = op.get_bind().execute(asked).all()
    change = rows.update().values(times=bindparam("new"))
    for each in key:
        change = change.where(rows.c[each] == bindparam(f"old_{each}"))
    for start in range(0, len(known), _PAGE):
        page = known[start : start + _PAGE]
        op.get_bind().execute(change, [_changed(key, tuple(row)) for row in page])


def _changed(key: tuple[str, ...], row: tuple[Any, ...]) -> dict[str, Any]:
    *values, times = row
    said = json.loads(bytes(times))
    for part in ("times", "hidden"):
        if part in said:
            said[part] = {slot: at << _BITS for slot, at in said[part].items()}
    old = {f"old_{each}": value for each, value in zip(key, values, strict=True)}
    return old | {"new": json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()}
