"""When rights hold that hang on the record, as searches: ``profiles/access/agreement.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from fhir_bridge.access.grant import Query
from fhir_bridge.access.roles import read_query
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError

__all__ = ["Conditions", "filled", "load_conditions", "moments"]

_FILE = "profiles/access/agreement.toml"


@dataclass(frozen=True, slots=True)
class Conditions:
    """The searches, with places ``{dawn}``, ``{dusk}``, ``{since}`` and ``{teams}`` to be filled.

    `in_force`, `former`: agreements; `of_team`: those of a team; `group`: families; `guardians`:
    relationships as tokens; `accepted`: tasks of referrals.
    """

    in_force: Query
    former: Query
    of_team: Query
    group: Query
    guardians: frozenset[str]
    accepted: Query


def load_conditions(artifacts: Artifacts) -> Conditions:
    """The searches of the site.  Raises BridgeError FB-7601 naming what cannot be used."""
    path = artifacts.find(_FILE)
    try:
        if path is None:
            raise FileNotFoundError("there is no such file")
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        agreement = data["agreement"]
        return Conditions(
            read_query(agreement["in_force"]),
            read_query(agreement["former"]),
            read_query(agreement["of_team"]),
            read_query(data["family"]["group"]),
            frozenset(data["guardian"]["relationships"]),
            read_query(data["referral"]["accepted"]),
        )
    except (OSError, tomllib.TOMLDecodeError, TypeError, KeyError, ValueError) as error:
        raise BridgeError("FB-7601", _FILE, reason=error) from None


def moments(day: date, zone: tzinfo, since: int = 0) -> dict[str, str]:
    """The places of a day: its first and last second, and the first of some days before."""
    dawn = datetime.combine(day, time.min, zone)
    return {
        "dawn": dawn.isoformat(),
        "dusk": datetime.combine(day, time(23, 59, 59), zone).isoformat(),
        "since": (dawn - timedelta(days=since)).isoformat(),
    }


def filled(query: Query, places: Mapping[str, str]) -> Query:
    """The search with its places filled.

    >>> filled((("applies", "ge{dawn}"),), {"dawn": "2026-01-01"})
    (('applies', 'ge2026-01-01'),)
    """
    return tuple((name, value.format_map(places)) for name, value in query)
