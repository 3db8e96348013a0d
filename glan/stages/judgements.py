"""A round of questions and answers -> what is said of each pair: by a judge, by a second answer, by running its code.

Optional: without any of it a round goes straight from answers to instructions. A pair of which a call failed is in
quarantine here and goes on all the same, as one that was not judged or checked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from glan.checking import agreement, code, programs, results
from glan.checking.results import Result
from glan.gateway.reading import structured
from glan.gateway.requests import Call, Conversation, Outcome
from glan.languages import ENGLISH
from glan.question_mix import MULTIPLE_CHOICE
from glan.records import SCHEMAS
from glan.replies import Judgement
from glan.stages.shared import answering
from glan.stages.shared.making import Effects, Made, Row, asked_for, make, one_row_each, provenance
from glan.stages.shared.recipe import Ingredients, Recipe
from glan.units import Receipt, Unit

RUBRIC, MATH, CODE = "rubric", "math", "code"
SCORES = ("question_quality", "difficulty", "correctness")

Pair = tuple[Mapping[str, Any], Mapping[str, Any]]
"""A question and its answer."""


def plan(above: Unit, receipt: Receipt, recipe: Recipe, edition: int = 0) -> Unit:
    """The unit that has the round of answers of the unit above judged and checked."""
    return above.below(
        receipt,
        stage="judgements",
        edition=edition,
        key=recipe.unit_key(
            _ingredients,
            inputs={
                "questions": above.parents["questions"].content_digest,
                "answers": receipt.content_digest,
            },
            edition=edition,
            language=above.language if recipe.config.checking.math else ENGLISH,  # a judge is asked the same in any
        ),
    )


def _ingredients(recipe: Recipe) -> Ingredients:
    rubric, checks = recipe.config.judging.rubric, _checks(recipe)
    return Ingredients(
        "judgements",
        [*(["judge"] if rubric else []), *(answering.prompts(recipe.config) if MATH in checks else [])],
        "judge" if rubric else None,
        {"seed": recipe.config.seed, **({"checks": checks} if checks else {})},
    )


def _checks(recipe: Recipe) -> dict[str, Any]:
    """What decides the outcome of the checks, of each that is on."""
    checking = recipe.config.checking
    math = {MATH: [results.RULE, recipe.profile("answer").identity()]} if checking.math else {}
    return math | ({CODE: [programs.RULE]} if checking.code else {})


def run(unit: Unit, recipe: Recipe, effects: Effects) -> Receipt:
    """Have each answer judged and checked, commit what came of it."""
    config, asks = recipe.config, asked_for(unit, effects.store)
    questions = {row["question_id"]: row for row in effects.store.read(unit.parents["questions"]).to_pylist()}
    answers = effects.store.read(unit.parents["answers"]).to_pylist()
    pairs: list[Pair] = [(questions[answer["question_id"]], answer) for answer in answers]
    judged = [one for one in pairs if config.judging.rubric and asks(unit.sample(one[0]["sample_index"]))]
    drawn = [
        (question, result)
        for question, answer in pairs
        if config.checking.math and asks(_again(unit, question)) and (result := _result_of(question, answer))
    ]
    run_here = pairs if config.checking.code and not unit.retries else []

    def read(outcomes: Sequence[Outcome]) -> Made:
        said = _read_scores(unit, [question for question, _ in judged], outcomes[: len(judged)])
        compared = _read_results(unit, drawn, outcomes[len(judged) :])
        rows = [*said.rows, *compared.rows, *_ended(unit, run_here)]
        return Made(rows=rows, failures=[*said.failures, *compared.failures])

    conversations = [_judge(unit, question, answer, recipe) for question, answer in judged]
    conversations += [_answer_again(unit, question, recipe) for question, _ in drawn]
    return make(unit, conversations, read, effects)


def _result_of(question: Mapping[str, Any], answer: Mapping[str, Any]) -> Result | None:
    """What a second answer is held against; of options the key is, without one."""
    return None if question["question_type"] == MULTIPLE_CHOICE else results.result_of(answer["text"])


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


def _answer_again(unit: Unit, question: Mapping[str, Any], recipe: Recipe) -> Conversation:
    """The conversation that draws a second answer: the same prompt under a sample index that no first answer has."""
    request = answering.request(unit, question, recipe, -1 - question["sample_index"])
    call: Call = yield replace(request, node=_again(unit, question))
    return call


def _again(unit: Unit, question: Mapping[str, Any]) -> str:
    """The name of a second answer, for people and in quarantine."""
    return f"{unit.sample(question['sample_index'])}, second answer"


def _read_scores(unit: Unit, questions: Sequence[Mapping[str, Any]], outcomes: Sequence[Outcome]) -> Made:
    """One row a pair, with the judge's own words; the others are quarantined."""

    def row(question: Mapping[str, Any], outcome: Outcome) -> Row:
        call: Call = outcome.value
        scores = {name: float(getattr(call.value, name)) for name in SCORES}
        return _row(unit, question, RUBRIC, scores, text=call.text, **provenance(unit, outcome.calls))

    return one_row_each(questions, outcomes, row)


def _read_results(unit: Unit, drawn: Sequence[tuple[Mapping[str, Any], Result]], outcomes: Sequence[Outcome]) -> Made:
    """One row for each second answer, held against the first; the others are quarantined."""
    first = {question["question_id"]: result for question, result in drawn}

    def row(question: Mapping[str, Any], outcome: Outcome) -> Row:
        call: Call = outcome.value
        found = agreement.compare(first[question["question_id"]], call.value)
        scores = {} if found.verdict == "not_checked" else {"answers_agree": float(found.verdict == "agree")}
        told = {"text": call.value, "verdict": found.verdict, "detail": found.detail}
        return _row(unit, question, MATH, scores, **told, **provenance(unit, outcome.calls))

    return one_row_each([question for question, _ in drawn], outcomes, row)


def _ended(unit: Unit, pairs: Sequence[Pair]) -> list[Row]:
    """One row for each answer with programs: how they ended. No model wrote it: it has the run and the time of the answer."""
    rows = []
    for question, answer in pairs:
        found = code.ran(answer["text"])
        if found is not None:
            scores = {} if found.ending == "not_checked" else {"code_runs": float(found.ending == "runs")}
            told = {"verdict": found.ending, "detail": found.detail, "request_keys": []}
            of = {"unit_key": unit.key, "edition": unit.edition} | {
                name: answer[name] for name in ("run_id", "created_at")
            }
            rows.append(_row(unit, question, CODE, scores, **told, **of))
    return rows


def _row(unit: Unit, question: Mapping[str, Any], method: str, scores: Mapping[str, float], **further: Any) -> Row:
    return {
        **dict.fromkeys(SCHEMAS["judgements"].names),
        "judgement_id": f"{question['question_id']}.{method}",
        "question_id": question["question_id"],
        "subject_id": question["subject_id"],
        "discipline_id": unit.discipline_id,
        "method": method,
        "scores": list(scores.items()),
        **further,
    }
