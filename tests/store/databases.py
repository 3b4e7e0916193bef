"""Databases for tests: a file of its own, or a schema of its own in a real PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

__all__ = ["scratch_schema"]


@contextmanager
def scratch_schema(url: str) -> Iterator[str]:
    """The URL of a new schema in the database at `url`; dropped afterwards."""
    name = f"bridge_{uuid.uuid4().hex[:12]}"
    engine = create_engine(url, pool_pre_ping=True)  # the server may have been started anew
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    try:
        scoped = make_url(url).update_query_dict({"options": f"-csearch_path={name}"})
        yield scoped.render_as_string(hide_password=False)
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        engine.dispose()
