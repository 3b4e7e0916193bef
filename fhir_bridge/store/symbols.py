"""Numbers of types and search parameters, given once and kept in the database."""

from __future__ import annotations

from fhir_bridge.database import Database
from fhir_bridge.search import Registry

__all__ = ["number_symbols"]


def number_symbols(database: Database, registry: Registry) -> dict[str, int]:
    """The number of every type and index name; names that are new are numbered now."""
    wanted = [*sorted(registry.definitions.resource_types), *registry.symbols]
    with database.reading() as session:
        known = {name: number for number, name in session.all("SELECT number, name FROM symbol")}
    if not all(name in known for name in wanted):
        with database.writing() as session:
            if session.dialect == "postgresql":
                session.run("LOCK TABLE symbol IN EXCLUSIVE MODE")
            known = {n: number for number, n in session.all("SELECT number, name FROM symbol")}
            new = [name for name in wanted if name not in known]
            first = max(known.values(), default=0) + 1
            numbered = list(enumerate(new, first))
            session.bulk("symbol", ("number", "name"), numbered)
            known.update({name: number for number, name in numbered})
    return known
