"""Verdicts -> the settings of curation that they were come to under.

Runs with other settings may have come before and after, on other nodes or the same. What tells is the key of each unit
of instructions: it is made of all that its verdicts rest on, so only the settings that it was judged by give it again.
"""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from glan import supplements
from glan.config import Curation
from glan.curation import scores, typed_answers
from glan.dataset import View
from glan.keys import canonical
from glan.stages.instructions import unit_key
from glan.stages.shared.recipe import Recipe
from glan.stages.shared.recorded import recorded
from glan.store import manifests
from glan.units import Receipt, Stage

READS = ("field", "sub_field", "discipline", "subject", "level")
"""The columns of instructions that `Judged` needs."""


class Judged:
    """What the runs on record judged by. Asked for units by discipline, it reads each discipline's receipts once."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._recipes = _distinct(recorded(view.store.files))
        self._discipline_id = ""
        self._answers: Mapping[str, Receipt] = {}
        self._continuations: Mapping[str, Sequence[Receipt]] = {}
        self._judgements: Mapping[str, Sequence[Receipt]] = {}

    def by(self, receipt: Receipt, rows: pa.Table) -> Curation | None:
        """The settings that a unit was judged by; None if nothing on record gives its key."""
        if receipt.discipline_id != self._discipline_id:
            self._turn_to(receipt.discipline_id)
        answers = self._answers.get(receipt.unit)
        if answers is None or not rows.num_rows:
            return None
        row = rows.slice(0, 1).select(READS).to_pylist()[0]
        subject = {"name": row["subject"], "level": row["level"]}
        path = row["field"], row["sub_field"], row["discipline"]
        continuations, judgements = (by.get(receipt.unit, ()) for by in (self._continuations, self._judgements))
        for recipe in self._recipes:
            continued_by = continuations if "continuations" in recipe.stages else ()
            judged_by = judgements if "judgements" in recipe.stages else ()
            key = unit_key(
                recipe, answers.parent_digest, answers, continued_by, judged_by, subject, path, receipt.edition
            )
            if key == receipt.key:
                return recipe.config.curation
        return None

    def _turn_to(self, discipline_id: str) -> None:
        self._discipline_id = discipline_id
        self._answers = {one.unit: one for one in self._receipts("answers")}
        self._continuations = self._by_answers("continuations")
        self._judgements = self._by_answers("judgements")

    def _by_answers(self, stage: Stage) -> Mapping[str, Sequence[Receipt]]:
        """By the unit of the answers: what was made on them, then what was asked again."""
        found: dict[str, list[Receipt]] = {}
        for one in sorted(self._receipts(stage), key=lambda one: supplements.split(stage, one.unit)):
            found.setdefault(supplements.split(stage, one.unit)[0], []).append(one)
        return found

    def _receipts(self, stage: Stage) -> Sequence[Receipt]:
        generation = self._view.generations(stage).get(self._discipline_id)
        if generation is None:
            return ()
        return manifests.at(self._view.store.files, stage, self._discipline_id, generation).units


def _distinct(recipes: Sequence[Recipe]) -> list[Recipe]:
    """One of all recipes that judge alike."""
    found: dict[tuple[object, ...], Recipe] = {}
    for recipe in recipes:
        limits = scores.limits(recipe.config) | typed_answers.identity(recipe.config)
        found.setdefault((recipe.rules, recipe.stages, canonical(limits)), recipe)
    return list(found.values())
