"""Numbers of one history: the prefix that keeps it apart, and citizen numbers that check.

GB 11643-1999: region, birth date, sequence (odd for men), ISO 7064 MOD 11-2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.histories.words import BORN, SEX

__all__ = ["Numbers", "moment"]

_BEGIN = datetime(2020, 3, 1, 8)  # noqa: DTZ001 (in the zone of the feeds)

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of history `space`; two histories of one record have two spaces."""

    space: int

    @property
    def prefix(self) -> str:
        """What every number of the history begins with."""
        return f"H{self.space:07}"

    def of(self, symbol: str) -> str:
        """The number that stands for a symbol of the events."""
        return f"{self.prefix}{symbol.upper()}"

    def symbol(self, number: str) -> str | None:
        """The symbol behind a number; None for a number of another history."""
        return number.removeprefix(self.prefix).lower() if number.startswith(self.prefix) else None

    def citizen(self, symbol: str) -> str:
        """The citizen number of person ``n0``, ``n1`` …, valid and of no other history."""
        person = int(symbol[1:])
        block, region = divmod(self.space, 800_000)
        sequence = 2 * block + (1 if SEX[person] == "male" else 0)
        body = f"{110_000 + region}{BORN[person].replace('-', '')}{sequence:03}"
        total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
        return body + "10X98765432"[total % 11]


def moment(minute: int) -> datetime:
    """The time of minute `minute` of a history, long before it is received."""
    return _BEGIN + timedelta(minutes=minute)
