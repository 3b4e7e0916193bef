"""The outcome of one case, and the register of cases that are not expected to pass."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Outcome = Literal["passed", "failed", "skipped"]

_REGISTER = Path(__file__).parents[1] / "cases" / "exclusions.toml"


@dataclass(frozen=True, slots=True)
class Result:
    """One case of a suite: its published id, how it went, and a note for people."""

    case_id: str
    outcome: Outcome
    note: str = ""
    group: str = ""


def exclusions(suite: str) -> dict[str, str]:
    """Reason by case id for the cases of `suite` that are not to be judged."""
    return {} if _JUDGED_ALL else listed(suite)


def judge_all() -> None:
    """From now on no case is left out: what the register lists is judged as well."""
    _JUDGED_ALL.append(True)


def is_judging_all() -> bool:
    """Whether `judge_all` was called."""
    return bool(_JUDGED_ALL)


_JUDGED_ALL: list[bool] = []


@cache
def listed(suite: str) -> dict[str, str]:
    """Reason by case id for the cases of `suite` listed in ``tests/cases/exclusions.toml``."""
    register = tomllib.loads(_REGISTER.read_text(encoding="utf-8"))
    return {
        row["case"]: f"{row['kind']}: {row['reason']}"
        for row in register.get("exclusion", [])
        if row["suite"] == suite
    }
