"""Figures by the hour -> rows, tokens and money by steps of whole hours, few enough to be drawn."""

import datetime
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from glan.costs import Spent
from glan.report.figures import Figures
from glan.units import STAGES

MOST_STEPS = 100

Series = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Steps:
    """From the first hour since 1970 in which anything was made; every step is so many hours. Without any: no step."""

    start: int = 0
    hours: int = 1
    number: int = 0
    rows: Series = field(default_factory=dict)
    """Kept and rejected, by when the last call behind a row ended."""
    tokens: Series = field(default_factory=dict)
    cost: Series = field(default_factory=dict)
    """By stage, as are tokens: US dollars, of calls whose price is known."""

    @property
    def stop(self) -> int:
        """The hour in which the last step begins."""
        return self.start + max(0, self.number - 1) * self.hours


def steps(figures: Figures) -> Steps:
    """The steps of everything on record."""
    rows, calls = figures.instructions.hours, figures.ledger.hours
    hours = [hour for hour, _ in [*rows, *calls]]
    if not hours:
        return Steps()
    start, stop = min(hours), max(hours) + 1
    each = math.ceil((stop - start) / MOST_STEPS)
    number = math.ceil((stop - start) / each)

    def summed(some: Iterable[tuple[int, float]]) -> list[float]:
        sums = [0.0] * number
        for hour, value in some:
            sums[(hour - start) // each] += value
        return [round(value, 6) for value in sums]

    def by_stage(value: Callable[[Spent], float]) -> Series:
        stages = sorted({stage for _, stage in calls}, key=_order)
        return {
            stage: summed((hour, value(spent)) for (hour, other), spent in calls.items() if other == stage)
            for stage in stages
        }

    return Steps(
        start=start,
        hours=each,
        number=number,
        rows={
            name: summed((hour, count) for (hour, kept), count in rows.items() if kept is wanted)
            for name, wanted in (("kept", True), ("rejected", False))
        },
        tokens=by_stage(lambda spent: spent.tokens),
        cost=by_stage(lambda spent: spent.cost_usd),
    )


def moment(hour: int) -> str:
    """For people, in UTC."""
    return datetime.datetime.fromtimestamp(3600 * hour, datetime.UTC).strftime("%Y-%m-%d %H:%M")


def _order(stage: str) -> tuple[int, str]:
    names: Sequence[str] = STAGES
    return (names.index(stage) if stage in names else len(names)), stage
