"""A small line plot of two measurements over time, as numbers a page can draw in SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

__all__ = ["Mark", "Plot", "plot_pressure"]

WIDTH, HEIGHT = 640, 200
_MIN_PRESSURE, _MAX_PRESSURE = 0.0, 300.0
"""The ends of the scale at most, in mmHg."""
_MAX_POINTS = 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 12, 12, 24


@dataclass(frozen=True, slots=True)
class Mark:
    """A point or a label: where it is, what it says, whether its value is off the scale."""

    x: float
    y: float
    text: str
    beyond: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything that is drawn; coordinates in a box of `width` by `height`."""

    width: int
    height: int
    upper: str
    lower: str
    upper_points: tuple[Mark, ...]
    lower_points: tuple[Mark, ...]
    thresholds: tuple[Mark, ...]
    rows: tuple[Mark, ...]
    columns: tuple[Mark, ...]

    @property
    def clipped(self) -> bool:
        """Whether some value is off the scale and is at its edge."""
        return any(mark.beyond for mark in (*self.upper_points, *self.lower_points))


def plot_pressure(measured: Sequence[tuple[date, float, float]]) -> Plot | None:
    """A plot of (day, systolic, diastolic); None for fewer than two days.

    The scale ends where pressures of living people do: a value beyond it, a slip of a comma,
    is drawn at the edge and marked, and its text says what was written.
    """
    points = sorted(measured)[-_MAX_POINTS:]
    if len({day for day, _, _ in points}) < 2:
        return None
    first, last = points[0][0], points[-1][0]
    values = [value for _, *pair in points for value in pair]
    low = max(_MIN_PRESSURE, min(60.0, *values))
    high = min(_MAX_PRESSURE, max(160.0, *values))
    low, high = low // 20 * 20, -(-high // 20) * 20

    def across(day: date) -> float:
        share = (day - first).days / (last - first).days
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)

    def down(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 1)

    def mark(day: date, value: float, text: str) -> Mark:
        return Mark(across(day), down(value), text, beyond=not low <= value <= high)

    texts = [f"{day}: {above:g}/{below:g} mmHg" for day, above, below in points]
    upper = tuple(mark(p[0], p[1], text) for p, text in zip(points, texts, strict=True))
    lower = tuple(mark(p[0], p[2], text) for p, text in zip(points, texts, strict=True))
    return Plot(
        width=WIDTH,
        height=HEIGHT,
        upper=_line(upper),
        lower=_line(lower),
        upper_points=upper,
        lower_points=lower,
        thresholds=tuple(Mark(_LEFT, down(v), f"{v:g}") for v in (140.0, 90.0)),
        rows=tuple(Mark(_LEFT, down(v), f"{v:g}") for v in _steps(low, high)),
        columns=_dates(points, across),
    )


def _line(points: Sequence[Mark]) -> str:
    """The `points` attribute of a polyline."""
    return " ".join(f"{mark.x:g},{mark.y:g}" for mark in points)


def _steps(low: float, high: float) -> list[float]:
    return [low + 20 * step for step in range(int((high - low) / 20) + 1)]


def _dates(
    points: Sequence[tuple[date, float, float]], across: Callable[[date], float]
) -> tuple[Mark, ...]:
    """At most five labels under the axis."""
    days = [day for day, _, _ in points]
    chosen = days if len(days) <= 5 else [days[0], days[len(days) // 2], days[-1]]
    return tuple(Mark(across(day), HEIGHT - 8, f"{day:%Y-%m}") for day in dict.fromkeys(chosen))
