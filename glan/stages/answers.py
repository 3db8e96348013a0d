"""A round of questions -> their answers, each in a call of its own with its own model profile (paper, section 2.4)."""

from collections.abc import Mapping, Sequence
from typing import Any

from glan.gateway.requests import Call, Conversation, Outcome
from glan.languages import column
from glan.stages.shared import answering
from glan.stages.shared.making import Effects, Made, Row, asked_for, make, one_row_each, provenance
from glan.stages.shared.recipe import Ingredients, Recipe
from glan.units import Receipt, Unit


def plan(above: Unit, receipt: Receipt, recipe: Recipe, edition: int = 0) -> Unit:
    """The unit that answers the round of questions of the unit above."""
    return above.below(
        receipt,
        stage="answers",
        edition=edition,
        key=recipe.unit_key(_ingredients, inputs=receipt.content_digest, edition=edition, language=above.language),
    )


def _ingredients(recipe: Recipe) -> Ingredients:
    return Ingredients("answers", answering.prompts(recipe.config), "answer", {"seed": recipe.config.seed})


def run(unit: Unit, recipe: Recipe, effects: Effects) -> Receipt:
    """Ask each question, commit the answers."""
    asks = asked_for(unit, effects.store)
    rows = effects.store.read(unit.parents["questions"]).to_pylist()
    questions = [row for row in rows if asks(unit.sample(row["sample_index"]))]
    conversations = [ask(unit, question, recipe) for question in questions]
    return make(unit, conversations, lambda outcomes: read(unit, questions, outcomes), effects)


def ask(unit: Unit, question: Mapping[str, Any], recipe: Recipe) -> Conversation:
    """The conversation that answers a question."""
    call: Call = yield answering.request(unit, question, recipe, question["sample_index"])
    return call


def read(unit: Unit, questions: Sequence[Mapping[str, Any]], outcomes: Sequence[Outcome]) -> Made:
    """One row a question, each with the question it was asked; the others are quarantined."""

    def row(question: Mapping[str, Any], outcome: Outcome) -> Row:
        call: Call = outcome.value
        return {
            "question_id": question["question_id"],
            "subject_id": question["subject_id"],
            "discipline_id": unit.discipline_id,
            "text": call.value,
            "finish_reason": call.finish_reason,
            "language": column(unit.language),
            **provenance(unit, outcome.calls),
        }

    return one_row_each(questions, outcomes, row)
