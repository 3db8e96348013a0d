"""Discipline x stage -> how far it is: a table for people."""

import math
from collections.abc import Callable, Iterable, Mapping

import pandas as pd

from glan.languages import language_at
from glan.planning import settled
from glan.planning.publishing import orphans
from glan.planning.scope import walks
from glan.planning.walk import Survey, Walk, survey
from glan.stages import pairs
from glan.stages.questions import LONGEST_ROUND
from glan.stages.shared.recipe import Recipe
from glan.store.store import Store
from glan.taxonomy import Discipline
from glan.units import Stage, quarantined

COLUMNS = [
    "discipline_id", "stage", "done", "stale", "missing", "waiting", "quarantined", "orphaned", "unreadable", "rows",
]  # fmt: skip


def status(
    store: Store, disciplines: Iterable[Discipline], recipe: Recipe, tell: Callable[[str], None] = lambda sentence: None
) -> pd.DataFrame:
    """One row for each discipline and stage; all counts but `rows` and `quarantined` are units.

    `done` is committed with today's inputs, prompts and models; `stale` was made with others; `missing` can be made
    at once; `waiting` has parents that are not done; `orphaned` has lost its parent and no unit will take its place; `quarantined` counts rows that
    could not be made, `rows` those that could. `unreadable` are those of which an object cannot be read: `tell` is told why.
    """
    lines: list[list[object]] = []
    waiting = walks(store, disciplines, recipe)
    while waiting:  # one after the other, for each holds all that it has read of its discipline
        lines += _lines(store, waiting.pop(0), recipe, tell)
    return pd.DataFrame(lines, columns=COLUMNS)


def _lines(store: Store, walk: Walk, recipe: Recipe, tell: Callable[[str], None]) -> list[list[object]]:
    if known := settled.noted(store, walk):
        name = walk.discipline.discipline_id
        return [
            [name, stage, holding.units, 0, 0, 0, holding.quarantined, 0, 0, holding.rows]
            for stage, holding in known.items()
            if stage in recipe.stages
        ]
    seen = survey(walk)
    named = walk.shelf.named
    for _, reason in seen.unreadable:
        tell(reason)
    # Where a unit cannot be read, whose parent is gone cannot be told.
    gone: Mapping[Stage, set[str]] = {} if seen.unreadable else _without_successor(orphans(store, named), seen)
    rounds = math.ceil(recipe.config.questions / LONGEST_ROUND)
    shared = sum(len(one.spans) for one in walk.waiting_pairs(seen.ready))
    lines: list[list[object]] = []
    waiting = 0
    for stage in recipe.stages:
        ready = [unit for unit in seen.ready if unit.stage == stage]
        stale = sum(1 for unit in ready if unit.address in named[stage])
        unreadable = sum(1 for unit, _ in seen.unreadable if unit.stage == stage)
        receipts = [receipt for _, receipt in seen.done[stage].values()]
        lines.append(
            [
                walk.discipline.discipline_id,
                stage,
                len(receipts),
                stale,
                len(ready) - stale,
                waiting,
                quarantined(receipts),
                len(gone.get(stage, ())),
                unreadable,
                sum(receipt.rows for receipt in receipts),
            ]
        )
        # At least one unit follows from each that is not done; a subject is followed by its syllabi, these by their rounds.
        follow = {"subjects": len(recipe.config.languages), "syllabi": rounds}
        waiting = (waiting + len(ready) + unreadable) * follow.get(stage, 1) + (shared if stage == "syllabi" else 0)
    return lines


def _without_successor(gone: Mapping[Stage, set[str]], seen: Survey) -> dict[Stage, set[str]]:
    """Of the units that lost their parent, those that will not be made anew under the same address."""
    ready = {unit.address for unit in seen.ready}
    done = {address for stage in seen.done.values() for address in stage}
    kept = ready | done
    syllabi = {(unit.language, pairs.mark(unit.address)) for unit in seen.ready if unit.stage == "syllabi"}

    def has_successor(stage: Stage, address: str) -> bool:
        if address in kept or stage == "syllabi":
            return address in kept
        syllabus, other = pairs.syllabi_of(address)
        return syllabus in ready or (language_at(syllabus), other) in syllabi

    return {stage: {unit for unit in units if not has_successor(stage, unit)} for stage, units in gone.items()}
