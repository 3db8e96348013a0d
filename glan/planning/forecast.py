"""What a run would ask and cost, from the store alone: exact where the inputs exist, a range where they do not."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from glan.config import Role
from glan.planning.scope import walks
from glan.planning.walk import survey
from glan.stages.questions import rounds as further_rounds
from glan.stages.recipe import Recipe
from glan.store.store import Store
from glan.taxonomy import Discipline
from glan.units import Receipt, Scope, Stage, Unit

Cost = Callable[[str, int, int, int], float | None]
"""(model, prompt tokens, cached tokens, completion tokens) -> US dollars, None if the price is unknown."""

ROLE_OF: Mapping[Stage, Role] = {
    "subjects": "subject",
    "syllabi": "syllabus",
    "questions": "question",
    "answers": "answer",
}
SUBJECTS_PER_DISCIPLINE = (100, 200)
"""What ten lists gave in the paper (section 3.1)."""

USUAL_TOKENS: Mapping[Stage, tuple[int, int]] = {
    "subjects": (1_200, 1_800),
    "syllabi": (1_800, 2_200),
    "questions": (2_600, 150),
    "answers": (250, 500),
}
"""Prompt and completion tokens of a call, assumed until the store has calls of that stage to learn from."""

COLUMNS = ["stage", "units", "calls", "calls_at_most", "prompt_tokens", "completion_tokens", "cost_usd"]


@dataclass
class _Expected:
    units: int = 0
    calls: int = 0
    calls_at_most: int = 0

    def add(self, units: int, calls: int, at_most: int | None = None) -> None:
        self.units += units
        self.calls += calls
        self.calls_at_most += calls if at_most is None else at_most


def forecast(
    store: Store, disciplines: Iterable[Discipline], recipe: Recipe, cost: Cost, scope: Scope = Scope()
) -> pd.DataFrame:
    """One row for each stage that asks a model: units and calls to come, their tokens and price.

    `calls` equals `calls_at_most` where all inputs exist. Tokens and `cost_usd` go with `calls_at_most`; `cost_usd`
    is missing where a price is unknown.
    """
    expected: dict[Stage, _Expected] = {stage: _Expected() for stage in ROLE_OF}
    receipts: list[Receipt] = []
    surveys = [(walk, survey(walk)) for walk in walks(store, disciplines, recipe, scope)]
    for walk, seen in surveys:
        receipts += [receipt for stage in seen.done.values() for _, receipt in stage.values()]
        receipts += [receipt for stage in walk.shelf.named.values() for receipt in stage.values()]
    few, many = _subjects_per_discipline(receipts, recipe)
    for walk, seen in surveys:
        for unit in seen.ready:
            _add(expected, unit, walk.recipe, few, many)
    lines = [_line(stage, expected[stage], _tokens_per_call(stage, receipts), recipe, cost) for stage in ROLE_OF]
    return pd.DataFrame(lines, columns=COLUMNS)


def _add(expected: Mapping[Stage, _Expected], unit: Unit, recipe: Recipe, few: int, many: int) -> None:
    """A unit that can be made now, and all that is bound to follow from it."""
    config = recipe.config
    steps = 2 if config.two_step else 1
    spans = further_rounds([], config.questions, config.questions)
    rounds = len(spans)
    asked = sum(math.ceil((stop - start) / config.questions_per_call) for start, stop in spans)
    if unit.stage == "subjects":
        expected["subjects"].add(1, config.lists * steps)
        expected["syllabi"].add(few, few * steps, many * steps)
        expected["questions"].add(few * rounds, few * asked, many * asked)
        expected["answers"].add(few * rounds, few * config.questions, many * config.questions)
    elif unit.stage == "syllabi":
        expected["syllabi"].add(1, steps)
        expected["questions"].add(rounds, asked)
        expected["answers"].add(rounds, config.questions)
    elif unit.stage == "questions":
        expected["questions"].add(1, math.ceil((unit.stop - unit.start) / config.questions_per_call))
        expected["answers"].add(1, unit.stop - unit.start)
    elif unit.stage == "answers":
        expected["answers"].add(1, unit.parents["questions"].rows)


def _subjects_per_discipline(receipts: Iterable[Receipt], recipe: Recipe) -> tuple[int, int]:
    """Fewest and most subjects of a discipline not yet listed: as seen in the store, else as in the paper."""
    seen = [receipt.rows for receipt in receipts if receipt.stage == "subjects"] or list(SUBJECTS_PER_DISCIPLINE)
    limit = recipe.config.subjects or max(seen)
    return min(min(seen), limit), min(max(seen), limit)


def _tokens_per_call(stage: Stage, receipts: Iterable[Receipt]) -> tuple[float, float]:
    known = [receipt for receipt in receipts if receipt.stage == stage and receipt.calls and receipt.prompt_tokens]
    calls = sum(receipt.calls for receipt in known)
    if not calls:
        return USUAL_TOKENS[stage]
    prompt = sum(receipt.prompt_tokens for receipt in known)
    return prompt / calls, sum(receipt.completion_tokens for receipt in known) / calls


def _line(stage: Stage, expected: _Expected, tokens: tuple[float, float], recipe: Recipe, cost: Cost) -> list[object]:
    prompt, completion = (round(expected.calls_at_most * each) for each in tokens)
    price = cost(recipe.profile(ROLE_OF[stage]).model, prompt, 0, completion) if expected.calls_at_most else 0.0
    return [stage, expected.units, expected.calls, expected.calls_at_most, prompt, completion, price]
