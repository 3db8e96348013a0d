"""A round of questions and answers -> what a judge says of each pair, in a call of its own.

Optional: without it a round goes straight from answers to instructions. A pair whose judging failed is in quarantine
here and goes on all the same, as one that was not judged.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from glan.gateway.reading import structured
from glan.gateway.requests import Call, Conversation, Outcome
from glan.replies import Judgement
from glan.stages.making import Effects, Made, Row, asked_for, make, one_row_each, provenance
from glan.stages.recipe import Recipe
from glan.units import Receipt, Unit

RUBRIC = "rubric"
SCORES = ("question_quality", "difficulty", "correctness")


def plan(above: Unit, receipt: Receipt, recipe: Recipe, edition: int = 0) -> Unit:
    """The unit that has the round of answers of the unit above judged."""
    return above.below(
        receipt,
        stage="judgements",
        edition=edition,
        key=recipe.unit_key(
            "judgements",
            inputs={
                "questions": above.parents["questions"].content_digest,
                "answers": receipt.content_digest,
            },
            prompts=["judge"],
            role="judge",
            edition=edition,
            seed=recipe.config.seed,
        ),
    )


def run(unit: Unit, recipe: Recipe, effects: Effects) -> Receipt:
    """Have each answer judged, commit what was said."""
    asks = asked_for(unit, effects.store)
    questions = {row["question_id"]: row for row in effects.store.read(unit.parents["questions"]).to_pylist()}
    answers = effects.store.read(unit.parents["answers"]).to_pylist()
    pairs = [(questions[answer["question_id"]], answer) for answer in answers]
    pairs = [(question, answer) for question, answer in pairs if asks(unit.sample(question["sample_index"]))]
    conversations = [_judge(unit, question, answer, recipe) for question, answer in pairs]
    asked = [question for question, _ in pairs]
    return make(unit, conversations, lambda outcomes: read(unit, asked, outcomes), effects)


def _judge(unit: Unit, question: Mapping[str, Any], answer: Mapping[str, Any], recipe: Recipe) -> Conversation:
    call: Call = yield recipe.request(
        unit,
        "judge",
        "judge",
        {"question": question["text"], "answer": answer["text"]},
        structured(Judgement),
        sample_index=question["sample_index"],
        schema=Judgement,
    )
    return call


def read(unit: Unit, questions: Sequence[Mapping[str, Any]], outcomes: Sequence[Outcome]) -> Made:
    """One row a pair, with the judge's own words; the others are quarantined."""

    def row(question: Mapping[str, Any], outcome: Outcome) -> Row:
        call: Call = outcome.value
        return {
            "judgement_id": f"{question['question_id']}.{RUBRIC}",
            "question_id": question["question_id"],
            "subject_id": question["subject_id"],
            "discipline_id": unit.discipline_id,
            "method": RUBRIC,
            "scores": [(name, float(getattr(call.value, name))) for name in SCORES],
            "text": call.text,
            **provenance(unit, outcome.calls),
        }

    return one_row_each(questions, outcomes, row)
