"""Questions of a snapshot -> how many were asked for of each difficulty and type, those in quarantine too."""

from collections import Counter
from collections.abc import Iterator, Sequence

import pyarrow as pa

from glan import supplements
from glan.dataset import View
from glan.stages.questions import span_of
from glan.stages.sampling import kinds
from glan.stages.sampling.kinds import Kind
from glan.stages.shared.recipe import Recipe
from glan.stages.shared.recorded import recorded
from glan.store import parts
from glan.units import Receipt

_READ = ["sample_index", "difficulty", "question_type"]


def asked(view: View) -> Counter[Kind]:
    """Every sample of every round by what it was to be; samples of rounds that had no kinds are not counted."""
    found: Counter[Kind] = Counter()
    # What a retry recovers was asked for by the round that it follows.
    rounds = [one for one in view.receipts("questions") if not supplements.number("questions", one.unit)]
    recipes = [one for one in recorded(view.store.files) if kinds.asked_for(one.config)]
    for receipt, table in zip(rounds, parts.tables(view.store, rounds, _READ), strict=True):
        found.update(_of_round(receipt, table, recipes))
    return found


def _of_round(receipt: Receipt, table: pa.Table, recipes: Sequence[Recipe]) -> Iterator[Kind]:
    there = {row["sample_index"]: Kind(row["difficulty"], row["question_type"]) for row in table.to_pylist()}
    if any(map(any, there.values())):
        yield from there.values()
    if receipt.quarantined:
        yield from _missing(receipt, there, recipes)


def _missing(receipt: Receipt, there: dict[int, Kind], recipes: Sequence[Recipe]) -> Iterator[Kind]:
    """By the latest recipe on record that gives all that are there the kind they have."""
    node, (start, stop) = span_of(receipt.unit)
    for recipe in recipes:
        dealt = kinds.kinds(recipe.config, f"{receipt.discipline_id}/{node}", start, stop)
        if all(dealt[index - start] == kind for index, kind in there.items()):
            yield from (kind for index, kind in enumerate(dealt, start) if index not in there)
            return
